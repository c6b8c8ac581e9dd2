//! A connection that can be cut: a proxy on the loopback that loses one request, or the reply to one, or everything for a while.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The request never arrives.
    BeforeRequest,
    /// The request has its effect, and the reply is lost.
    BeforeReply,
}

#[derive(Default)]
struct State {
    armed: Option<(Cut, usize)>,
    cuts: usize,
    requests: usize,
    down: bool,
    open: Vec<TcpStream>,
}

/// The proxy. Its threads end with the connections and with the tests.
#[derive(Clone)]
pub struct Cutter {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Cutter {
    /// A proxy to a port of the loopback.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(Mutex::new(State::default()));
        let cutter = Cutter { port, state };
        let serving = cutter.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let down = serving.state().down;
                if let (Ok(server), false) = (TcpStream::connect((Ipv4Addr::LOCALHOST, target)), down) {
                    serving.carry(client, server);
                }
            }
        });
        cutter
    }

    /// Cuts once, at this request from now on (from 0): what a client sends in one go is one.
    pub fn cut(&self, cut: Cut, request: usize) {
        let mut state = self.state();
        (state.armed, state.cuts, state.requests) = (Some((cut, request)), 0, 0);
    }

    /// How often a connection was cut since then.
    pub fn cuts(&self) -> usize {
        self.state().cuts
    }

    /// How many requests came since then.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// Loses everything from now on, or no longer.
    pub fn down(&self, down: bool) {
        let mut state = self.state();
        state.down = down;
        for stream in state.open.drain(..) {
            end(&stream);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry(&self, client: TcpStream, server: TcpStream) {
        let lose_reply = Arc::new(AtomicBool::new(false));
        let both = || Some((client.try_clone().ok()?, server.try_clone().ok()?));
        let (Some((from_client, to_server)), Some((to_client, from_server))) = (both(), both()) else { return };
        self.state().open.extend([client, server]);
        let (requests, replies) = (self.clone(), self.clone());
        let lose = Arc::clone(&lose_reply);
        std::thread::spawn(move || requests.pump(from_client, to_server, |cutter| cutter.may_pass(&lose)));
        std::thread::spawn(move || {
            replies.pump(from_server, to_client, |cutter| {
                let lost = lose_reply.load(Ordering::SeqCst);
                cutter.state().cuts += usize::from(lost);
                !lost
            });
        });
    }

    /// Whether a request may go on.
    fn may_pass(&self, lose_reply: &AtomicBool) -> bool {
        let mut state = self.state();
        state.requests += 1;
        match &mut state.armed {
            Some((Cut::BeforeRequest, 0)) => {
                (state.armed, state.cuts) = (None, state.cuts + 1);
                false
            }
            Some((Cut::BeforeReply, 0)) => {
                state.armed = None;
                lose_reply.store(true, Ordering::SeqCst);
                true
            }
            Some((_, left)) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, may_pass: impl Fn(&Self) -> bool) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if !may_pass(self) || to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        end(&from);
        end(&to);
    }
}

/// One that has ended already is as good.
fn end(stream: &TcpStream) {
    drop(stream.shutdown(Shutdown::Both));
}
