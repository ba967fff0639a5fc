//! A request with its answer, and its line.

use std::net::IpAddr;

use super::AlbFields;
use super::balancer::{Balancer, TargetGroup};
use super::client::{Client, Connection};
use super::site::{LEGACY, REWRITTEN};
use crate::calendar::push_micros;
use crate::ids::push_hex;
use crate::random::Random;
use crate::text::{push, push_address, push_decimal, push_padded};

/// A request that a load balancer has dealt with.
pub(super) struct Exchange<'a> {
    pub(super) balancer: &'a Balancer,
    pub(super) node: IpAddr,
    /// When it was answered, in Unix microseconds.
    pub(super) time: u64,
    pub(super) protocol: Protocol,
    pub(super) client: &'a Client,
    pub(super) connection: Connection,
    /// None when it was no HTTP.
    pub(super) request: Option<Request<'a>>,
    pub(super) outcome: Outcome<'a>,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// What its trace id is made of.
    pub(super) trace: [u64; 2],
}

/// The first field of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Https,
    Http2,
}

/// What was asked.
pub(super) struct Request<'a> {
    pub(super) method: &'static str,
    pub(super) host: Host,
    /// Path and query.
    pub(super) path: &'a [u8],
}

#[derive(Clone, Copy)]
pub(super) enum Host {
    Name(&'static str),
    /// Somebody who found the load balancer by its address.
    Address(IpAddr),
}

/// What the load balancer did.
pub(super) struct Outcome<'a> {
    pub(super) status: u16,
    /// For how long, in microseconds.
    pub(super) lasted: u64,
    /// `actions_executed`; `-` when it came to none.
    pub(super) actions: &'static str,
    pub(super) error: &'static str,
    /// Whether the answer sends the client to the same path by HTTPS.
    pub(super) redirected: bool,
    pub(super) group: Option<&'a TargetGroup>,
    /// The address of the target that was asked.
    pub(super) target: Option<&'a str>,
    /// None when no target answered.
    pub(super) answer: Option<Answer>,
}

/// A target's answer.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Until the target had the request, until it began to answer, until the client was sent the
    /// answer: in microseconds.
    pub(super) times: [u64; 3],
}

impl Answer {
    /// One whose target took so many microseconds.
    pub(super) fn after(target_micros: u64, status: u16, random: &mut Random) -> Self {
        let times = [
            random.below(2_000),
            target_micros,
            random.below(1_000) * random.below(4),
        ];
        Self { status, times }
    }

    pub(super) fn lasted(&self) -> u64 {
        self.times.iter().sum()
    }
}

impl Exchange<'_> {
    /// Appends the exchange's line.
    pub(super) fn push_line(&self, out: &mut Vec<u8>, fields: AlbFields) {
        self.push_what_and_when(out);
        self.push_request(out);
        self.push_decision(out);
        if fields != AlbFields::Classified29 {
            self.push_transform(out);
        }
        if fields == AlbFields::Node34 {
            out.push(b' ');
            push_address(out, self.node);
        }
        out.push(b'\n');
    }

    /// From `type` to `sent_bytes`.
    fn push_what_and_when(&self, out: &mut Vec<u8>) {
        push(out, self.protocol.name());
        out.push(b' ');
        push_micros(out, self.time);
        out.push(b' ');
        push(out, &self.balancer.elb);
        out.push(b' ');
        push_address(out, self.client.address);
        out.push(b':');
        push_decimal(out, self.connection.port.into());
        out.push(b' ');
        push(out, self.outcome.target.unwrap_or("-"));
        match &self.outcome.answer {
            Some(answer) => {
                for micros in answer.times {
                    out.push(b' ');
                    push_decimal(out, micros / 1_000_000);
                    out.push(b'.');
                    push_padded(out, micros / 1_000 % 1_000, 3);
                }
            }
            None => push(out, " -1 -1 -1"),
        }
        out.push(b' ');
        push_decimal(out, self.outcome.status.into());
        out.push(b' ');
        self.push_target_status(out);
        for bytes in [self.received, self.sent] {
            out.push(b' ');
            push_decimal(out, bytes);
        }
    }

    /// From `request` to `matched_rule_priority`.
    fn push_request(&self, out: &mut Vec<u8>) {
        let outcome = &self.outcome;
        out.extend_from_slice(b" \"");
        self.push_request_line(out);
        out.extend_from_slice(b"\" \"");
        push(out, self.user_agent());
        out.extend_from_slice(b"\" ");
        match self.protocol {
            Protocol::Http => push(out, "- -"),
            Protocol::Https | Protocol::Http2 => {
                push(out, self.client.tls.cipher);
                out.push(b' ');
                push(out, self.client.tls.protocol);
            }
        }
        out.push(b' ');
        push(out, outcome.group.map_or("-", |group| &group.arn));
        out.extend_from_slice(b" \"");
        self.push_trace(out);
        out.extend_from_slice(b"\" \"");
        let (name, certificate) = self.handshake();
        push(out, name);
        out.extend_from_slice(b"\" \"");
        push(out, certificate);
        out.extend_from_slice(b"\" ");
        match (outcome.group, &self.request) {
            (Some(group), _) => push_decimal(out, group.rule.into()),
            (None, Some(_)) => out.push(b'0'),
            (None, None) => out.push(b'-'),
        }
    }

    /// From `request_creation_time` to `classification_reason`.
    fn push_decision(&self, out: &mut Vec<u8>) {
        let outcome = &self.outcome;
        out.push(b' ');
        push_micros(out, self.time - outcome.lasted);
        out.extend_from_slice(b" \"");
        push(out, outcome.actions);
        out.extend_from_slice(b"\" \"");
        match (&self.request, outcome.redirected) {
            (Some(request), true) => request.push_url(out, Protocol::Https),
            _ => out.push(b'-'),
        }
        out.extend_from_slice(b"\" \"");
        push(out, outcome.error);
        out.extend_from_slice(b"\" \"");
        push(out, outcome.target.unwrap_or("-"));
        out.extend_from_slice(b"\" \"");
        self.push_target_status(out);
        let (class, reason) = self.classification();
        for text in [class, reason] {
            out.extend_from_slice(b"\" \"");
            push(out, text);
        }
        out.push(b'"');
    }

    /// From `conn_trace_id` to `request_transform_status`.
    fn push_transform(&self, out: &mut Vec<u8>) {
        push(out, " TID_");
        for half in self.connection.id {
            push_hex(out, half, 16);
        }
        push(out, " \"-\" \"");
        let rewritten = match (&self.request, self.outcome.group) {
            (Some(request), Some(_)) => request.path.strip_prefix(LEGACY.as_bytes()),
            _ => None,
        };
        match rewritten {
            Some(rest) => {
                push(out, REWRITTEN);
                out.extend_from_slice(rest);
                push(out, "\" \"TransformSuccess\"");
            }
            None => push(out, "-\" \"-\""),
        }
    }

    fn push_target_status(&self, out: &mut Vec<u8>) {
        match &self.outcome.answer {
            Some(answer) => push_decimal(out, answer.status.into()),
            None => out.push(b'-'),
        }
    }

    fn push_request_line(&self, out: &mut Vec<u8>) {
        match &self.request {
            Some(request) => {
                push(out, request.method);
                out.push(b' ');
                request.push_url(out, self.protocol);
                push(out, self.protocol.version());
            }
            None => {
                // Neither method nor path nor version could be read.
                push(out, "- ");
                let (scheme, port) = self.protocol.scheme_and_port();
                push(out, scheme);
                push(out, self.balancer.site.host);
                push(out, port);
                push(out, "- -");
            }
        }
    }

    fn push_trace(&self, out: &mut Vec<u8>) {
        if self.request.is_none() {
            out.push(b'-');
            return;
        }
        push(out, "Root=1-");
        push_hex(out, (self.time - self.outcome.lasted) / 1_000_000, 8);
        out.push(b'-');
        push_hex(out, self.trace[0], 8);
        push_hex(out, self.trace[1], 16);
    }

    fn user_agent(&self) -> &'static str {
        match self.request {
            Some(_) => self.client.user_agent,
            None => "-",
        }
    }

    /// `domain_name` and `chosen_cert_arn`.
    fn handshake(&self) -> (&str, &str) {
        let name = match self.request {
            Some(Request {
                host: Host::Name(name),
                ..
            }) => name,
            _ => "-",
        };
        match self.protocol {
            Protocol::Http => ("-", "-"),
            _ if self.connection.resumed => (name, "session-reused"),
            _ => (name, &self.balancer.certificate),
        }
    }

    fn classification(&self) -> (&'static str, &'static str) {
        match &self.request {
            None => ("Severe", "BadMethod"),
            Some(request) if request.path.contains(&b' ') => ("Acceptable", "SpaceInUri"),
            Some(request) if request.path.contains(&b'<') => ("Ambiguous", "AmbiguousUri"),
            Some(_) => ("-", "-"),
        }
    }
}

impl Request<'_> {
    fn push_url(&self, out: &mut Vec<u8>, protocol: Protocol) {
        let (scheme, port) = protocol.scheme_and_port();
        push(out, scheme);
        match self.host {
            Host::Name(name) => push(out, name),
            Host::Address(address) => push_address(out, address),
        }
        push(out, port);
        out.extend_from_slice(self.path);
    }
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Http2 => "h2",
        }
    }

    fn scheme_and_port(self) -> (&'static str, &'static str) {
        match self {
            Self::Http => ("http://", ":80"),
            Self::Https | Self::Http2 => ("https://", ":443"),
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Http | Self::Https => " HTTP/1.1",
            Self::Http2 => " HTTP/2.0",
        }
    }
}
