//! `explain`: why a resource is in the plan, or not.

use super::{Session, planning};
use crate::cli::PlanFlags;
use crate::model::{Address, Error, Exit, Result};
use crate::review::explain;

pub async fn run(session: &Session, environment: &str, address: &str, flags: &PlanFlags) -> Result<Exit> {
    let address: Address = address.parse().map_err(|why: String| Error::new(Exit::Error, why, "write the address as a plan shows it"))?;
    let location = session.locate(environment)?;
    let world = session.open_world(&location.root)?;
    let desired = planning::read(session, &location, &world)?;
    let plan = planning::draft(&desired, &world, flags).await?;
    let explained = explain::explanation(&plan, desired.resource(&address), &address).ok_or_else(|| {
        let known: Vec<String> = desired.resources.iter().map(|declared| declared.address.to_string()).collect();
        Error::new(Exit::Error, format!("{address} is not declared in {}", desired.environment), format!("declared are: {}", known.join(", ")))
    })?;
    session.say(&if session.globals.json { explain::json(&explained) } else { explain::text(&explained, &session.out_style()) });
    // What is blocked here is an error as it is for `plan`; what is blocked elsewhere is not this question.
    match plan.errors.iter().find(|error| error.address == address) {
        None => Ok(Exit::Done),
        Some(error) => Err(Error::new(Exit::Error, format!("{address} could not be planned"), error.help.clone()).because_text(error.error.clone())),
    }
}
