//! Those who act.

use std::net::IpAddr;

use super::Place;
use super::event::Caller;
use super::identity::Part;
use crate::calendar::push_seconds;
use crate::ids::push_capitals;
use crate::internet::client_address;
use crate::random::{Random, Subject};
use crate::text::{push, push_address, push_decimal, push_padded};

pub(super) const ROLES: [&str; 12] = [
    "app-orders",
    "app-users",
    "ci-deploy",
    "data-pipeline",
    "lambda-basic",
    "backup",
    "AdministratorAccess",
    "monitoring",
    "ReadOnly",
    "eks-node",
    "terraform",
    "batch",
];
pub(super) const PEOPLE: [&str; 8] = [
    "alice", "bob", "carlos", "dana", "emre", "fatima", "grace", "hiro",
];

/// Who probes: one user of each account.
const PROBER: u64 = u64::MAX;
const PROBER_NAME: &str = "legacy-ci";

/// Parts per million of what the account's own principals do.
const USERS: u32 = 180_000;
const WITH_SECOND_FACTOR: u32 = 800_000;

const AGENTS: [(u32, &str); 8] = [
    (
        250,
        "aws-sdk-java/2.33.4 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.150 lang/java#21.0.8 md/OpenJDK_64-Bit_Server_VM cfg/retry-mode#standard",
    ),
    (
        230,
        "Boto3/1.40.21 md/Botocore#1.40.21 ua/2.1 os/linux#6.1.150 md/arch#aarch64 lang/python#3.13.7 cfg/retry-mode#legacy Botocore/1.40.21",
    ),
    (
        150,
        "aws-sdk-go-v2/1.38.3 ua/2.1 os/linux lang/go#1.25.0 md/GOOS#linux md/GOARCH#arm64 api/sts#1.38.2",
    ),
    (
        100,
        "APN/1.0 HashiCorp/1.0 Terraform/1.13.1 (+https://www.terraform.io) terraform-provider-aws/6.11.0",
    ),
    (
        100,
        "aws-cli/2.28.21 md/awscrt#0.27.6 ua/2.1 os/macos#24.6.0 md/arch#arm64 lang/python#3.13.7 md/prompt#off md/command#ec2.describe-instances",
    ),
    (
        90,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    ),
    (
        50,
        "[aws-sdk-js/3.879.0 ua/2.1 os/linux#6.1 lang/js md/nodejs#22.19.0 \\\"lambda\\\"]",
    ),
    (30, "kubernetes-example-controller/0.9"),
];
const CONSOLE_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";
const PROBER_AGENT: &str = "python-requests/2.32.5 (enumerate all the things)";

/// Somebody who acts.
pub(super) struct Principal {
    pub(super) kind: Kind,
    /// What its ids are made of.
    key: u64,
    name: &'static str,
    /// Tells those with the same name apart.
    number: u64,
    address: IpAddr,
    agent: &'static str,
}

/// What `userIdentity` calls a type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Role,
    User,
    Root,
    Federated,
    Saml,
    WebIdentity,
    OtherAccount,
    Service(&'static str),
}

impl Principal {
    /// The principal of a rank among those of an account, acting in the way of a caller.
    pub(super) fn of_rank(seed: u64, caller: Caller, rank: u64) -> Self {
        let mut random = Random::keyed(seed, Subject::Principal, rank);
        let user = random.chance(USERS);
        let kind = match caller {
            Caller::Own if user => Kind::User,
            Caller::Own => Kind::Role,
            Caller::SignIn => Kind::User,
            Caller::Service(service) => Kind::Service(service),
            Caller::OtherAccount => Kind::OtherAccount,
            Caller::Saml => Kind::Saml,
            Caller::WebIdentity => Kind::WebIdentity,
            Caller::Federated => Kind::Federated,
        };
        let agent = random.weighted(&AGENTS);
        Self {
            kind,
            key: random.next(),
            name: match kind {
                Kind::Role => ROLES[rank as usize % ROLES.len()],
                _ => PEOPLE[rank as usize % PEOPLE.len()],
            },
            number: rank,
            address: client_address(&mut random, false),
            agent: if caller == Caller::SignIn {
                CONSOLE_AGENT
            } else {
                agent
            },
        }
    }

    /// The user who tries what it may not.
    pub(super) fn prober(seed: u64) -> Self {
        Self {
            kind: Kind::User,
            name: PROBER_NAME,
            number: 0,
            agent: PROBER_AGENT,
            ..Self::of_rank(seed, Caller::Own, PROBER)
        }
    }

    /// The account's root user, who should not act at all.
    pub(super) fn root(seed: u64) -> Self {
        Self {
            kind: Kind::Root,
            agent: CONSOLE_AGENT,
            ..Self::of_rank(seed, Caller::SignIn, 0)
        }
    }

    pub(super) fn is_service(&self) -> bool {
        matches!(self.kind, Kind::Service(_))
    }

    /// Whether the event is the other account's, too.
    pub(super) fn is_other_account(&self) -> bool {
        self.kind == Kind::OtherAccount
    }

    /// Whether it is a person with a browser.
    pub(super) fn is_in_console(&self) -> bool {
        self.agent.starts_with("Mozilla/")
    }

    /// Appends `sourceIPAddress`.
    pub(super) fn push_source(&self, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Service(service) => push_service(out, service),
            _ => push_address(out, self.address),
        }
    }

    /// Appends `userAgent`.
    pub(super) fn push_agent(&self, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Service(service) => push_service(out, service),
            _ => push(out, self.agent),
        }
    }

    /// Appends the principal's ARN.
    pub(super) fn push_arn(&self, out: &mut Vec<u8>, account: &str) {
        let (service, resource) = match self.kind {
            Kind::Role => ("sts", ":assumed-role/"),
            Kind::Federated => ("sts", ":federated-user/"),
            Kind::Root => ("iam", ":root"),
            _ => ("iam", ":user/"),
        };
        push(out, "arn:aws:");
        push(out, service);
        push(out, "::");
        push(out, account);
        push(out, resource);
        if self.kind != Kind::Root {
            self.push_name(out);
        }
        if self.kind == Kind::Role {
            out.push(b'/');
            self.push_session(out);
        }
    }

    /// Whether this principal uses one: always or never.
    pub(super) fn has_second_factor(&self) -> bool {
        self.is_in_console() && self.random().chance(WITH_SECOND_FACTOR)
    }

    /// Appends a part of `userIdentity`, for an event at a time in Unix seconds.
    pub(super) fn push_part(&self, out: &mut Vec<u8>, part: Part, place: &Place, time: u64) {
        match part {
            Part::Account => push(out, &place.account),
            Part::OtherAccount => push_padded(out, self.key, 12),
            Part::Arn => self.push_arn(out, &place.account),
            Part::Id => {
                push(out, "EXAMPLE");
                push_capitals(out, &mut self.random(), 10);
            }
            Part::AccessKey => push_access_key(out, &mut self.random()),
            Part::Name => self.push_name(out),
            Part::Session => self.push_session(out),
            Part::Began => push_seconds(out, self.began(time)),
            Part::SecondFactor => push(
                out,
                if self.has_second_factor() {
                    "true"
                } else {
                    "false"
                },
            ),
            Part::Service => self.push_source(out),
        }
    }

    /// When the session began that is in use at a time: on the hour or a little later.
    fn began(&self, time: u64) -> u64 {
        const SESSION_SECONDS: u64 = 3_600;
        (time - time % SESSION_SECONDS + self.key % 60).min(time)
    }

    fn push_name(&self, out: &mut Vec<u8>) {
        push(out, self.name);
        if self.number > 0 {
            out.push(b'-');
            push_decimal(out, self.number);
        }
    }

    fn push_session(&self, out: &mut Vec<u8>) {
        if self.is_in_console() {
            push(out, PEOPLE[self.key as usize % PEOPLE.len()]);
            push(out, "@example.com");
        } else {
            push(out, "session-");
            push_decimal(out, self.key % 1_000_000);
        }
    }

    fn random(&self) -> Random {
        Random::keyed(self.key, Subject::Principal, 0)
    }
}

fn push_service(out: &mut Vec<u8>, service: &str) {
    push(out, service);
    push(out, ".amazonaws.com");
}

/// Appends the id of an access key after its prefix; it says that it is none.
pub(super) fn push_access_key(out: &mut Vec<u8>, random: &mut Random) {
    push(out, "EXAMPLE");
    push_capitals(out, random, 9);
}
