//! Elastic IPs by their `Name` tag: exactly one, or an error that shows what there is.

use std::collections::BTreeMap;

use crate::world::ec2::{Ec2Read, ElasticIp};
use crate::world::provider::AwsProvider;
use crate::world::{CallResult, Readers};

/// Near names that a message shows.
const NEAR_MAX: usize = 3;

/// All Elastic IPs of one provider's account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressBook {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// All of them.
    pub addresses: Vec<ElasticIp>,
}

/// One book for each provider, by its name.
pub type Books = BTreeMap<String, AddressBook>;

impl AddressBook {
    /// Reads all addresses of one provider.
    pub(super) async fn read(readers: &dyn Readers, aws: &AwsProvider) -> CallResult<AddressBook> {
        let door = readers.ec2(aws).await?;
        let door: &dyn Ec2Read = door.as_ref();
        let addresses = door.elastic_ips().await?;
        Ok(AddressBook { account: door.account_id().to_owned(), region: aws.region.clone(), addresses })
    }

    /// Those of one name.
    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ElasticIp> {
        self.addresses.iter().filter(move |ip| ip.name.as_deref() == Some(name))
    }

    /// The one address of that name; else what was found, for a fact's value.
    pub(super) fn only(&self, name: &str) -> Result<String, String> {
        let found: Vec<&ElasticIp> = self.named(name).collect();
        match found.as_slice() {
            [one] => Ok(one.public_ip.to_string()),
            [] => Err("not found".to_owned()),
            several => {
                let shown: Vec<String> = several.iter().map(|ip| format!("{} ({})", ip.public_ip, ip.allocation_id)).collect();
                Err(format!("{} addresses: {}", several.len(), shown.join(", ")))
            }
        }
    }
}

/// The address behind a name, or a sentence that shows what was found: here, in the other providers, and under near names.
pub(super) fn resolve(books: &Books, aws: &str, name: &str) -> Result<String, String> {
    let Some(book) = books.get(aws) else { return Err(format!("the Elastic IPs of {aws} were not read")) };
    let found = match book.only(name) {
        Ok(address) => return Ok(address),
        Err(found) => found,
    };
    let mut parts = vec![format!("Elastic IP {name:?} in {aws} (account {}, region {}): {found}", book.account, book.region)];
    for (other, elsewhere) in books.iter().filter(|(other, _)| *other != aws) {
        for ip in elsewhere.named(name) {
            parts.push(format!("{other} (region {}) has it: {}", elsewhere.region, ip.public_ip));
        }
    }
    let near = near_names(book, name);
    if !near.is_empty() {
        parts.push(format!("near names there: {}", near.join(", ")));
    }
    Err(parts.join("; "))
}

/// Names that were perhaps meant, with their addresses.
fn near_names(book: &AddressBook, name: &str) -> Vec<String> {
    let mut near: Vec<(usize, String)> = book
        .addresses
        .iter()
        .filter_map(|ip| {
            let known = ip.name.as_deref().filter(|known| *known != name && known.len() < 256 && name.len() < 256)?;
            let distance = strsim::damerau_levenshtein(known, name);
            (distance <= 2.max(name.len() / 4)).then(|| (distance, format!("{known} ({})", ip.public_ip)))
        })
        .collect();
    near.sort();
    near.into_iter().take(NEAR_MAX).map(|(_, shown)| shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(region: &str, addresses: &[(&str, [u8; 4])]) -> AddressBook {
        let one = |(number, (name, ip)): (usize, &(&str, [u8; 4]))| ElasticIp {
            allocation_id: format!("eipalloc-{number}"),
            name: (!name.is_empty()).then(|| (*name).to_owned()),
            public_ip: (*ip).into(),
        };
        AddressBook { account: "111122223333".to_owned(), region: region.to_owned(), addresses: addresses.iter().enumerate().map(one).collect() }
    }

    fn books() -> Books {
        let hk =
            book("ap-east-1", &[("eip-live", [192, 0, 2, 1]), ("eip-twice", [192, 0, 2, 2]), ("eip-twice", [192, 0, 2, 3]), ("", [192, 0, 2, 4])]);
        let sydney = book("ap-southeast-2", &[("eip-alt", [198, 51, 100, 1])]);
        Books::from([("aws.hk".to_owned(), hk), ("aws.sydney".to_owned(), sydney)])
    }

    #[test]
    fn exactly_one_address_is_an_answer() {
        assert_eq!(resolve(&books(), "aws.hk", "eip-live").as_deref(), Ok("192.0.2.1"));
    }

    #[test]
    fn a_typo_shows_the_near_name_and_its_address() {
        let error = resolve(&books(), "aws.hk", "eip-liev").unwrap_err();
        for part in ["\"eip-liev\"", "aws.hk", "ap-east-1", "111122223333", "not found", "eip-live (192.0.2.1)"] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[test]
    fn two_addresses_of_one_name_are_both_shown() {
        let error = resolve(&books(), "aws.hk", "eip-twice").unwrap_err();
        assert!(error.contains("2 addresses: 192.0.2.2 (eipalloc-1), 192.0.2.3 (eipalloc-2)"), "{error}");
    }

    #[test]
    fn a_name_of_the_other_region_is_found_there() {
        let error = resolve(&books(), "aws.hk", "eip-alt").unwrap_err();
        assert!(error.contains("aws.sydney (region ap-southeast-2) has it: 198.51.100.1"), "{error}");
    }
}
