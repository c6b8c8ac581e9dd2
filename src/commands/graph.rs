//! `graph`: the steps that a plan would have, as a drawing.

use super::{Session, planning};
use crate::cli::{GraphFormat, PlanFlags};
use crate::model::{Exit, Result};
use crate::review::graph;

pub async fn run(session: &Session, environment: &str, format: GraphFormat, flags: &PlanFlags) -> Result<Exit> {
    let location = session.locate(environment)?;
    let world = session.open_world(&location.root)?;
    let desired = planning::read(session, &location, &world)?;
    let plan = planning::draft(&desired, &world, flags).await?;
    session.say(&match format {
        GraphFormat::Dot => graph::dot(&plan),
        GraphFormat::Mermaid => graph::mermaid(&plan),
    });
    planning::incomplete(&plan).map_or(Ok(Exit::Done), Err)
}
