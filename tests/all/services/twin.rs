//! A stateful twin of Cloudflare's DNS API: zones, records in pages, and batches as one transaction, with the service's limits
//! and codes. It follows the vendor's documents; prism in front of it keeps its answers to the vendor's description.
//!
//! What it is known to get wrong, and no test leans on: the words of its refusals are its own where the documents give only a code;
//! it checks few contents; its changes reach the name server all at once, where the service's travel one by one; its `content` of
//! types with `data` is the values in the order of their names. Prism answers 422 where the service answers 400, without the service's
//! words, takes unknown fields, and demands type, name and content of a patch, which the service does not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::http_server::{HttpServer, Incoming, Reply};

/// The token that opens the twin.
pub const TOKEN: &str = "planted-cloudflare-token-0815";
/// The token that opens it after [`Twin::change_token_after_batches`].
pub const NEXT_TOKEN: &str = "planted-cloudflare-token-0816";
const NOW: &str = "2026-11-01T00:00:00.000000Z";

type Publish = Box<dyn Fn(&str, &[Value]) + Send>;

/// One zone.
struct Zone {
    id: String,
    records: Vec<Value>,
}

struct State {
    zones: BTreeMap<String, Zone>,
    max_batch: usize,
    max_per_page: usize,
    next_id: u64,
    lose_replies: u32,
    hang_ups: u32,
    in_the_way: Vec<(String, Value)>,
    publish: Option<Publish>,
    token: &'static str,
    /// Batches until another token holds, if one is to.
    batches_left: Option<u32>,
}

/// A running twin.
pub struct Twin {
    pub server: HttpServer,
    state: Arc<Mutex<State>>,
}

/// Status, code and words of a refusal.
type Refusal = (u16, i64, String);

impl Twin {
    /// With these zones, empty, on the Free plan.
    pub fn start(zones: &[&str]) -> Self {
        let zone = |(index, name): (usize, &&str)| ((*name).to_owned(), Zone { id: format!("{:032x}", 0xa0_0000 + index), records: Vec::new() });
        let state = State {
            zones: zones.iter().enumerate().map(zone).collect(),
            max_batch: 200,
            max_per_page: 5_000_000,
            next_id: 1,
            lose_replies: 0,
            hang_ups: 0,
            in_the_way: Vec::new(),
            publish: None,
            token: TOKEN,
            batches_left: None,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        Twin { server: HttpServer::start(move |request| shared.lock().unwrap().answer(request)), state }
    }

    /// Is told every zone after every change.
    pub fn on_change(&self, publish: impl Fn(&str, &[Value]) + Send + 'static) {
        self.state.lock().unwrap().publish = Some(Box::new(publish));
    }

    /// Puts records into a zone, as its owner would by hand.
    pub fn seed(&self, zone: &str, records: &[Value]) {
        let mut state = self.state.lock().unwrap();
        for record in records {
            let fields = record.as_object().unwrap();
            state.post(zone, fields).unwrap();
        }
        state.tell(zone);
    }

    /// The records of a zone as they are.
    pub fn records(&self, zone: &str) -> Vec<Value> {
        self.state.lock().unwrap().zones[zone].records.clone()
    }

    /// Pages no longer than this, whatever is asked for.
    pub fn limit_pages(&self, records: usize) {
        self.state.lock().unwrap().max_per_page = records;
    }

    /// After so many batches the token is another one.
    pub fn change_token_after_batches(&self, count: u32) {
        self.state.lock().unwrap().batches_left = Some(count);
    }

    /// The next batches take effect and their answers get lost.
    pub fn lose_replies(&self, count: u32) {
        self.state.lock().unwrap().lose_replies = count;
    }

    /// The next batches take effect, and the connection is closed without a word. (Over half an answer prism waits for the other half.)
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only the scenarios want it"))]
    pub fn hang_up(&self, count: u32) {
        self.state.lock().unwrap().hang_ups = count;
    }

    /// Somebody makes this record by hand just before the zone's next batch.
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only the scenarios want it"))]
    pub fn put_in_the_way(&self, zone: &str, record: Value) {
        self.state.lock().unwrap().in_the_way.push((zone.to_owned(), record));
    }

    /// Somebody removes the records of this name by hand.
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only the scenarios want it"))]
    pub fn forget(&self, zone: &str, name: &str) {
        let mut state = self.state.lock().unwrap();
        state.zones.get_mut(zone).unwrap().records.retain(|record| record["name"] != name);
        state.tell(zone);
    }
}

impl State {
    fn answer(&mut self, request: &Incoming) -> Reply {
        if let Err(refusal) = authorize(request, self.token) {
            return refuse(&refusal);
        }
        let segments: Vec<&str> = request.path.trim_start_matches("/client/v4").split('/').filter(|part| !part.is_empty()).collect();
        let answer = match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["zones"]) => Ok(self.list_zones(request)),
            ("GET", ["zones", id, "dns_records"]) => self.zone_name(id).map(|zone| self.list_records(&zone, request)),
            ("POST", ["zones", id, "dns_records", "batch"]) => self.zone_name(id).and_then(|zone| self.batch(&zone, &request.body)),
            _ => Err((404, 7003, format!("Could not route to {}", request.path))),
        };
        let body = match answer {
            Ok(body) => body,
            Err(refusal) => return refuse(&refusal),
        };
        if request.method == "POST" {
            self.batches_left = self.batches_left.map(|left| left.saturating_sub(1));
            if self.batches_left == Some(0) {
                self.token = NEXT_TOKEN;
            }
        }
        if request.method == "POST" && self.lose_replies > 0 {
            self.lose_replies -= 1;
            return Reply::Cut(body.to_string().into_bytes());
        }
        if request.method == "POST" && self.hang_ups > 0 {
            self.hang_ups -= 1;
            return Reply::Silence(Duration::ZERO);
        }
        Reply::json(200, &body)
    }

    fn zone_name(&self, id: &str) -> Result<String, Refusal> {
        let found = self.zones.iter().find(|(_, zone)| zone.id == id);
        found.map(|(name, _)| name.clone()).ok_or((404, 7003, "Could not route to the zone, perhaps your object identifier is invalid?".into()))
    }

    fn list_zones(&self, request: &Incoming) -> Value {
        let named = |name: &&String| request.query.get("name").is_none_or(|wanted| wanted == *name);
        let zones: Vec<Value> = self.zones.keys().filter(named).map(|name| zone_json(name, &self.zones[name].id)).collect();
        let count = zones.len();
        json!({ "success": true, "errors": [], "messages": [], "result": zones,
                "result_info": { "page": 1, "per_page": 20, "count": count, "total_count": count } })
    }

    fn list_records(&self, zone: &str, request: &Incoming) -> Value {
        let number = |key: &str, default: usize| request.query.get(key).and_then(|text| text.parse().ok()).unwrap_or(default);
        let (page, per_page) = (number("page", 1), number("per_page", 100).min(self.max_per_page));
        let all = &self.zones[zone].records;
        let result: Vec<&Value> = all.iter().skip((page - 1) * per_page).take(per_page).collect();
        json!({ "success": true, "errors": [], "messages": [],
                "result_info": { "page": page, "per_page": per_page, "count": result.len(), "total_count": all.len() }, "result": result })
    }

    /// Deletes, patches, puts, posts; all or nothing; only the first error is told.
    fn batch(&mut self, zone: &str, body: &[u8]) -> Result<Value, Refusal> {
        let body: Value = serde_json::from_slice(body).map_err(|_| (400, 6007, "Malformed JSON in request body".to_owned()))?;
        let list = |key: &str| body[key].as_array().cloned().unwrap_or_default();
        let (deletes, patches, puts, posts) = (list("deletes"), list("patches"), list("puts"), list("posts"));
        if deletes.len() + patches.len() + puts.len() + posts.len() > self.max_batch {
            return Err((400, 1004, format!("DNS batch is limited to {} records", self.max_batch)));
        }
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.in_the_way).into_iter().partition(|(its_zone, _)| its_zone == zone);
        self.in_the_way = later;
        for (_, record) in now {
            self.post(zone, record.as_object().unwrap())?;
        }
        let before = self.zones[zone].records.clone();
        let done = self.transact(zone, &deletes, &patches, &puts, &posts);
        match done {
            Ok(result) => {
                self.tell(zone);
                Ok(json!({ "success": true, "errors": [], "messages": [], "result": result }))
            }
            Err(refusal) => {
                self.zones.get_mut(zone).unwrap().records = before;
                Err(refusal)
            }
        }
    }

    fn transact(&mut self, zone: &str, deletes: &[Value], patches: &[Value], puts: &[Value], posts: &[Value]) -> Result<Value, Refusal> {
        let mut result: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for delete in deletes {
            let at = self.position(zone, delete)?;
            result.entry("deletes").or_default().push(self.zones.get_mut(zone).unwrap().records.remove(at));
        }
        for (list, changes, whole) in [("patches", patches, false), ("puts", puts, true)] {
            for change in changes {
                let at = self.position(zone, change)?;
                let old = self.zones.get_mut(zone).unwrap().records.remove(at);
                let mut fields = if whole { Map::new() } else { old.as_object().unwrap().clone() };
                if change.get("type").is_some_and(|rtype| *rtype != old["type"]) {
                    fields.retain(|key, _| !matches!(key.as_str(), "data" | "priority" | "content"));
                }
                fields.extend(change.as_object().unwrap().clone());
                let made = complete(zone, &fields, old["id"].as_str().unwrap())?;
                self.insert(zone, made.clone(), Some(at))?;
                result.entry(list).or_default().push(made);
            }
        }
        for post in posts {
            let made = self.post(zone, post.as_object().unwrap_or(&Map::new()))?;
            result.entry("posts").or_default().push(made);
        }
        Ok(json!(result))
    }

    fn position(&self, zone: &str, wanted: &Value) -> Result<usize, Refusal> {
        let at = self.zones[zone].records.iter().position(|record| record["id"] == wanted["id"]);
        at.ok_or((404, 81044, "Record does not exist.".to_owned()))
    }

    fn post(&mut self, zone: &str, fields: &Map<String, Value>) -> Result<Value, Refusal> {
        let id = format!("{:032x}", 0xb0_0000 + self.next_id);
        self.next_id += 1;
        let made = complete(zone, fields, &id)?;
        self.insert(zone, made.clone(), None)?;
        Ok(made)
    }

    /// Refuses a second identical record, and a CNAME beside other records.
    fn insert(&mut self, zone: &str, made: Value, at: Option<usize>) -> Result<(), Refusal> {
        let records = &mut self.zones.get_mut(zone).unwrap().records;
        for other in records.iter().filter(|other| other["name"] == made["name"]) {
            if other["type"] == made["type"] && other["content"] == made["content"] && other["priority"] == made["priority"] {
                return Err((400, 81058, "An identical record already exists.".to_owned()));
            }
            if other["type"] == "CNAME" || made["type"] == "CNAME" {
                return Err((400, 81053, "An A, AAAA, or CNAME record with that host already exists.".to_owned()));
            }
        }
        records.insert(at.unwrap_or(records.len()), made);
        Ok(())
    }

    fn tell(&self, zone: &str) {
        if let Some(publish) = &self.publish {
            publish(zone, &self.zones[zone].records);
        }
    }
}

/// A whole record: what was not named gets its default, and `content` is made of `data` where there is one.
fn complete(zone: &str, fields: &Map<String, Value>, id: &str) -> Result<Value, Refusal> {
    let mut record = fields.clone();
    let rtype = record.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = record.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if name != zone && !name.ends_with(&format!(".{zone}")) {
        record.insert("name".into(), json!(format!("{name}.{zone}")));
    }
    if let Some(data) = record.get("data").and_then(Value::as_object) {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let words: Vec<String> = data.iter().filter(|(key, _)| rtype != "SRV" || *key != "priority").map(|(_, value)| text(value)).collect();
        record.insert("content".into(), json!(words.join(" ")));
    }
    let content = record.get("content").and_then(Value::as_str).unwrap_or_default();
    if rtype == "A" && content.parse::<std::net::Ipv4Addr>().is_err() {
        return Err((400, 9005, "Content for A record is invalid. Must be a valid IPv4 address".to_owned()));
    }
    let proxiable = matches!(rtype.as_str(), "A" | "AAAA" | "CNAME");
    for (key, default) in [("ttl", json!(1)), ("proxied", json!(false)), ("tags", json!([])), ("comment", Value::Null)] {
        record.entry(key).or_insert(default);
    }
    if record["comment"].as_str().is_none_or(str::is_empty) {
        record.remove("comment");
    }
    let fixed = [("id", json!(id)), ("proxiable", json!(proxiable)), ("created_on", json!(NOW)), ("modified_on", json!(NOW)), ("meta", json!({}))];
    record.extend(fixed.map(|(key, value)| (key.to_owned(), value)));
    Ok(record.into())
}

fn authorize(request: &Incoming, token: &str) -> Result<(), Refusal> {
    let given = request.headers.get("authorization").and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
    match given {
        given if given == token => Ok(()),
        short if short.len() < 10 => Err((400, 6003, "Invalid request headers".to_owned())),
        _ => Err((403, 9109, "Invalid access token".to_owned())),
    }
}

fn refuse((status, code, message): &Refusal) -> Reply {
    let mut error = json!({ "code": code, "message": message });
    if *code == 6003 {
        error["error_chain"] = json!([{ "code": 6111, "message": "Invalid format for Authorization header" }]);
    }
    Reply::json(*status, &json!({ "success": false, "errors": [error], "messages": [], "result": null }))
}

fn zone_json(name: &str, id: &str) -> Value {
    json!({
        "id": id, "name": name, "status": "active", "development_mode": 0, "owner": { "type": "user" },
        "account": { "id": "01a7362d577a6c3019a474fd6f485823", "name": "Account" }, "meta": { "step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3 },
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"], "original_name_servers": null, "original_registrar": null,
        "original_dnshost": null, "created_on": NOW, "modified_on": NOW, "activated_on": NOW,
    })
}
