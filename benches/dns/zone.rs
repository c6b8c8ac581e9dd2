//! A zone of N address records; and what declares it: as it is, with every address given to another record, and new.

use std::fmt::Write;
use std::fs;
use std::io::Result;
use std::path::Path;

/// What is declared: all as it is, all addresses exchanged, all records new.
const VARIANTS: [&str; 3] = ["noop", "swap", "new"];

/// The name of the zone of that size.
pub fn name(records: usize) -> String {
    format!("n{records}.example")
}

/// The id of the zone of that size.
pub fn id(records: usize) -> String {
    format!("{records:032x}")
}

/// The label of one record.
pub fn label(number: usize) -> String {
    format!("r{number:06}")
}

/// Its address.
pub fn address(number: usize) -> String {
    let byte = |shift: usize| (number >> shift) & 0xff;
    format!("10.{}.{}.{}", byte(16), byte(8), byte(0))
}

/// One record as the service lists it.
pub fn listed(records: usize, number: usize) -> String {
    let (id, name, content) = (format!("{:032x}", records * 1_000_000 + number), format!("{}.{}", label(number), name(records)), address(number));
    format!(
        r#"{{"id":"{id}","name":"{name}","type":"A","content":"{content}","proxiable":true,"proxied":false,"ttl":300,"settings":{{}},"meta":{{}},"comment":null,"tags":[],"created_on":"2026-01-02T03:04:05.000000Z","modified_on":"2026-01-02T03:04:05.000000Z"}}"#
    )
}

/// Writes every environment, and the same for octoDNS.
pub fn make(folder: &Path, base: &str, sizes: &[usize]) -> Result<()> {
    for records in sizes {
        for variant in VARIANTS {
            let environments = folder.join("environments");
            fs::create_dir_all(&environments)?;
            fs::write(environments.join(format!("{variant}-{records}.hcl")), hcl(base, *records, variant))?;
            let zones = folder.join(format!("octodns/{variant}-{records}"));
            fs::create_dir_all(&zones)?;
            fs::write(zones.join(format!("{}.yaml", name(*records))), yaml(*records, variant))?;
            for per_page in [100, 5_000] {
                let config = folder.join(format!("octodns/{variant}-{records}-{per_page}.yaml"));
                fs::write(config, octodns(base, *records, &zones, per_page))?;
            }
        }
    }
    Ok(())
}

/// What a record shall have: its label and its address.
fn wanted(records: usize, number: usize, variant: &str) -> (String, String) {
    match variant {
        "swap" => (label(number), address(records - 1 - number)),
        "new" => (format!("new-{}", label(number)), address(number)),
        _ => (label(number), address(number)),
    }
}

fn hcl(base: &str, records: usize, variant: &str) -> String {
    let zone = name(records);
    let mut text = format!(
        "environment \"{variant}-{records}\" {{}}\n\nprovider \"cloudflare\" {{\n  api_token = env(\"CLOUDFLARE_API_TOKEN\")\n  base_url  = \"{base}\"\n  \
         plan      = \"enterprise\"\n}}\n\ndns_zone \"{zone}\" {{\n  ttl = 300\n\n"
    );
    for number in 0..records {
        let (label, address) = wanted(records, number, variant);
        let _ = writeln!(text, "  record \"A\" \"{label}.{zone}\" {{ value = \"{address}\" }}");
    }
    text.push_str("}\n");
    text
}

fn yaml(records: usize, variant: &str) -> String {
    let mut text = "---\n".to_owned();
    for number in 0..records {
        let (label, address) = wanted(records, number, variant);
        let _ = writeln!(text, "{label}:\n  ttl: 300\n  type: A\n  value: {address}");
    }
    text
}

fn octodns(base: &str, records: usize, zones: &Path, per_page: usize) -> String {
    format!(
        "---\nproviders:\n  config:\n    class: octodns.provider.yaml.YamlProvider\n    directory: {}\n  cloudflare:\n    class: octodns_cloudflare.CloudflareProvider\n    \
         token: env/CLOUDFLARE_API_TOKEN\n    api_url: {base}\n    records_per_page: {per_page}\n    pagerules: false\nzones:\n  {}.:\n    sources: [config]\n    targets: [cloudflare]\n",
        zones.display(),
        name(records)
    )
}
