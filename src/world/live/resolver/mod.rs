//! Questions to name servers: UDP first, TCP when the answer does not fit, one server at a time.

mod rdata;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RecordType as WireType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::model::record::{RecordType, canonical_content};
use crate::world::resolver::{Answer, Resolver};
use crate::world::{CallError, CallResult, Failure};

const CALL: &str = "dns:query";
const PORT: u16 = 53;
/// What passes every network without being cut into pieces (the size agreed on by implementers in 2020).
const UDP_MAX: u16 = 1_232;
/// Addresses of one host name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Datagrams that are not the answer, looked at before giving up on an attempt.
const STRAY_MAX: usize = 32;

/// How long a server may take.
#[derive(Debug, Clone, Copy)]
pub struct DnsLimits {
    /// One datagram and its answer.
    pub udp: Duration,
    /// Datagrams that are sent before an address is given up.
    pub udp_attempts: usize,
    /// A whole exchange over TCP.
    pub tcp: Duration,
}

impl Default for DnsLimits {
    fn default() -> Self {
        DnsLimits { udp: Duration::from_secs(2), udp_attempts: 3, tcp: Duration::from_secs(5) }
    }
}

/// Asks over the network.
pub struct NetworkResolver {
    limits: DnsLimits,
    ids: Mutex<fastrand::Rng>,
}

impl NetworkResolver {
    /// `seed` makes the message ids.
    #[must_use]
    pub fn new(limits: DnsLimits, seed: u64) -> Self {
        NetworkResolver { limits, ids: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }

    fn question(&self, name: &str, rtype: WireType) -> Result<Message, String> {
        let mut absolute = Name::from_ascii(name).map_err(|why| format!("`{name}` cannot be asked for: {why}"))?;
        absolute.set_fqdn(true);
        let id = self.ids.lock().unwrap_or_else(PoisonError::into_inner).u16(..);
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = false;
        message.add_query(Query::query(absolute, rtype));
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_MAX);
        message.set_edns(edns);
        Ok(message)
    }

    async fn exchange(&self, address: SocketAddr, question: &Message) -> Result<Message, Trouble> {
        let bytes = question.to_vec().map_err(|why| Trouble::Bad(why.to_string()))?;
        let mut trouble = Trouble::Silent;
        for _ in 0..self.limits.udp_attempts {
            match tokio::time::timeout(self.limits.udp, over_udp(address, &bytes, question)).await {
                Ok(Ok(answer)) if answer.metadata.truncation => {
                    return tokio::time::timeout(self.limits.tcp, over_tcp(address, &bytes, question)).await.unwrap_or(Err(Trouble::Silent));
                }
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(why)) => trouble = why,
                Err(_) => trouble = Trouble::Silent,
            }
            if !matches!(trouble, Trouble::Silent) {
                break;
            }
        }
        Err(trouble)
    }
}

/// Why there is no answer.
enum Trouble {
    /// Nothing came in time.
    Silent,
    /// The network said that nobody is there.
    Closed(String),
    /// What came is not an answer.
    Bad(String),
}

impl From<std::io::Error> for Trouble {
    fn from(why: std::io::Error) -> Self {
        Trouble::Closed(why.to_string())
    }
}

#[async_trait]
impl Resolver for NetworkResolver {
    async fn ask(&self, server: &str, name: &str, rtype: &str) -> CallResult<Answer> {
        let refused = |why: String| CallError::new(CALL, Failure::Refused, why);
        let known: RecordType = rtype.parse().map_err(refused)?;
        let question = self.question(name, wire_type(known)).map_err(refused)?;
        let addresses = addresses_of(server).await?;
        let mut failed = CallError::new(CALL, Failure::Unreachable, format!("{server} has no address"));
        for address in addresses {
            match self.exchange(address, &question).await {
                Ok(answer) => return Ok(contents(&answer, &question, known)),
                Err(trouble) => failed = error(server, address, trouble),
            }
        }
        Err(failed)
    }
}

fn error(server: &str, address: SocketAddr, trouble: Trouble) -> CallError {
    let who = if server.contains(&address.ip().to_string()) { server.to_owned() } else { format!("{server} ({address})") };
    let unknown = Failure::Unknown { retry_after: None };
    match trouble {
        Trouble::Silent => CallError::new(CALL, unknown, format!("{who} did not answer in time")),
        Trouble::Closed(why) => CallError::new(CALL, Failure::Unreachable, format!("{who}: {why}")),
        Trouble::Bad(why) => CallError::new(CALL, unknown, format!("{who} gave no proper answer: {why}")),
    }
}

fn wire_type(rtype: RecordType) -> WireType {
    match rtype {
        RecordType::A => WireType::A,
        RecordType::Aaaa => WireType::AAAA,
        RecordType::Caa => WireType::CAA,
        RecordType::Cname => WireType::CNAME,
        RecordType::Ds => WireType::from(43),
        RecordType::Https => WireType::HTTPS,
        RecordType::Mx => WireType::MX,
        RecordType::Naptr => WireType::NAPTR,
        RecordType::Ns => WireType::NS,
        RecordType::Ptr => WireType::PTR,
        RecordType::Srv => WireType::SRV,
        RecordType::Sshfp => WireType::SSHFP,
        RecordType::Svcb => WireType::SVCB,
        RecordType::Tlsa => WireType::TLSA,
        RecordType::Txt => WireType::TXT,
        RecordType::Uri => WireType::from(256),
    }
}

/// The answers of the asked name and type alone: what a CNAME leads to is not what was declared here. A delegation is told as a
/// referral: the NS records of the asked name stand beside the answer, not in it.
fn contents(answer: &Message, question: &Message, rtype: RecordType) -> Answer {
    let rcode = match answer.metadata.response_code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => format!("RCODE{}", u16::from(other)),
    };
    let asked = question.queries.first().map(|query| &query.name);
    let referral: &[_] = if rtype == RecordType::Ns { &answer.authorities } else { &[] };
    let mut contents: Vec<String> = answer
        .answers
        .iter()
        .chain(referral)
        .filter(|record| {
            record.dns_class == DNSClass::IN && record.record_type() == wire_type(rtype) && asked.is_some_and(|name| name == &record.name)
        })
        .filter_map(|record| rdata::presentation(&record.data))
        .map(|text| canonical_content(rtype, &text).unwrap_or(text))
        .collect();
    contents.sort();
    contents.dedup();
    Answer { rcode, contents }
}

/// `192.0.2.53`, `192.0.2.53:53`, `[2001:db8::1]:53`, `2001:db8::1`, `ns.example.org`, `ns.example.org:5353`.
fn host_and_port(server: &str) -> Result<(String, u16), String> {
    let text = server.trim();
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok((address.ip().to_string(), address.port()));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok((address.to_string(), PORT));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| format!("`{server}` is not a name server: `{port}` is not a port"))?),
        None => (text, PORT),
    };
    let fits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if fits {
        Ok((host.trim_end_matches('.').to_owned(), port))
    } else {
        Err(format!("`{server}` is not a name server: an address or a host name, with or without a port"))
    }
}

async fn addresses_of(server: &str) -> CallResult<Vec<SocketAddr>> {
    let (host, port) = host_and_port(server).map_err(|why| CallError::new(CALL, Failure::Refused, why))?;
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let mut addresses: Vec<SocketAddr> =
        found.map_err(|why| CallError::new(CALL, Failure::Unreachable, format!("the name server {host} is not found: {why}")))?.collect();
    // IPv4 first: it is there on every machine that runs CI.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    addresses.truncate(ADDRESSES_MAX);
    Ok(addresses)
}

async fn over_udp(address: SocketAddr, bytes: &[u8], question: &Message) -> Result<Message, Trouble> {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // A connected socket takes in nothing from elsewhere, and hears when nobody listens there.
    socket.connect(address).await?;
    socket.send(bytes).await?;
    let mut buffer = [0_u8; 4_096];
    let mut last = Trouble::Silent;
    for _ in 0..STRAY_MAX {
        let length = socket.recv(&mut buffer).await?;
        match parse(&buffer[..length], question) {
            Ok(answer) => return Ok(answer),
            Err(why) => last = Trouble::Bad(why),
        }
    }
    Err(last)
}

async fn over_tcp(address: SocketAddr, bytes: &[u8], question: &Message) -> Result<Message, Trouble> {
    let mut stream = TcpStream::connect(address).await?;
    let length = u16::try_from(bytes.len()).map_err(|_| Trouble::Bad("the question is too long".to_owned()))?;
    stream.write_all(&[&length.to_be_bytes(), bytes].concat()).await?;
    let mut answer = vec![0_u8; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    parse(&answer, question).map_err(Trouble::Bad)
}

/// An answer to this very question.
fn parse(bytes: &[u8], question: &Message) -> Result<Message, String> {
    let answer = Message::from_vec(bytes).map_err(|why| why.to_string())?;
    let ours = answer.metadata.id == question.metadata.id && answer.metadata.message_type == MessageType::Response;
    // Servers that refuse leave the question out at times; one with another question is somebody else's.
    let same = |query: &Query| question.queries.first().is_some_and(|asked| asked.name == query.name && asked.query_type == query.query_type);
    let answers = answer.queries.iter().all(same) && (!answer.queries.is_empty() || answer.metadata.response_code != ResponseCode::NoError);
    if ours && answers { Ok(answer) } else { Err("it answers another question".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_addresses_or_names_with_or_without_a_port() {
        for (text, host, port) in [
            ("192.0.2.53", "192.0.2.53", 53),
            ("192.0.2.53:5353", "192.0.2.53", 5353),
            ("2001:db8::1", "2001:db8::1", 53),
            ("[2001:db8::1]", "2001:db8::1", 53),
            ("[2001:db8::1]:5353", "2001:db8::1", 5353),
            ("ns.example.org.", "ns.example.org", 53),
            ("ns.example.org:5353", "ns.example.org", 5353),
        ] {
            assert_eq!(host_and_port(text), Ok((host.to_owned(), port)), "{text}");
        }
        for text in ["", ":53", "ns example", "ns.example.org:x", "ns.example.org:70000", "http://ns"] {
            assert!(host_and_port(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_answer_to_another_question_is_not_taken() {
        let resolver = NetworkResolver::new(DnsLimits::default(), 7);
        let question = resolver.question("gigadb.org", WireType::A).unwrap();
        let mut answer = question.clone().into_response();
        assert!(parse(&answer.to_vec().unwrap(), &question).is_ok());
        answer.metadata.id ^= 1;
        assert!(parse(&answer.to_vec().unwrap(), &question).is_err());
        let other = resolver.question("gigadb.host", WireType::A).unwrap();
        let mut wrong = other.into_response();
        wrong.metadata.id = question.metadata.id;
        assert!(parse(&wrong.to_vec().unwrap(), &question).is_err());
        assert!(parse(&question.to_vec().unwrap(), &question).is_err(), "an echo is no answer");
        assert!(parse(&[1, 2, 3], &question).is_err());
    }
}
