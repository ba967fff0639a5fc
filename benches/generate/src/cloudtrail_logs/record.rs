//! A record and its JSON.

use super::event::{Caller, Prepared};
use super::identity::Identities;
use super::principal::Principal;
use super::value::{Subjects, Value, Values};
use crate::calendar::push_seconds;
use crate::ids::{push_hex, push_letters, push_uuid};
use crate::random::{Random, Subject};
use crate::template::Template;
use crate::text::push;

/// One event of a trail.
pub(super) struct Record<'a> {
    pub(super) event: &'a Prepared,
    pub(super) identities: &'a Identities,
    pub(super) values: &'a Values,
    pub(super) subjects: Subjects<'a>,
    pub(super) principal: Principal,
    pub(super) failure: Option<Failure>,
}

/// Why there was no success.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Denied,
    Throttled,
    SignIn,
}

/// An account has so many VPC endpoints.
const ENDPOINTS: u64 = 8;

// Parts per million.
const BY_ENDPOINT: u32 = 80_000;
const BY_OLD_TLS: u32 = 60_000;

impl Record<'_> {
    /// Appends the record on one line.
    pub(super) fn push_json(&self, out: &mut Vec<u8>) {
        let random = &mut Random::keyed(self.subjects.key, Subject::Event, 0);
        self.push_who_and_what(out);
        self.push_error(out, random);
        self.push_content(out);
        self.push_ids(out, random);
        self.push_connection(out, random);
        out.push(b'}');
    }

    /// From `eventVersion` to `userAgent`.
    fn push_who_and_what(&self, out: &mut Vec<u8>) {
        let event = self.event.event;
        let place = self.subjects.place;
        push(out, r#"{"eventVersion":""#);
        push(out, event.version);
        push(out, r#"","userIdentity":"#);
        self.identities
            .push(out, &self.principal, place, self.subjects.time);
        push(out, r#","eventTime":""#);
        push_seconds(out, self.subjects.time);
        push_member(out, "eventSource", event.service);
        push(out, ".amazonaws.com");
        push_member(out, "eventName", event.name);
        push_member(out, "awsRegion", place.region);
        push_member(out, "sourceIPAddress", "");
        self.principal.push_source(out);
        push_member(out, "userAgent", "");
        self.principal.push_agent(out);
        out.push(b'"');
    }

    fn push_error(&self, out: &mut Vec<u8>, random: &mut Random) {
        let event = self.event.event;
        match self.failure {
            None => {}
            Some(Failure::Throttled) => push(
                out,
                r#","errorCode":"ThrottlingException","errorMessage":"Rate exceeded""#,
            ),
            Some(Failure::SignIn) => push(out, r#","errorMessage":"Failed authentication""#),
            Some(Failure::Denied) if event.service == "ec2" => {
                push(
                    out,
                    r#","errorCode":"Client.UnauthorizedOperation","errorMessage":"You are not authorized to perform this operation. Encoded authorization failure message: "#,
                );
                push_letters(out, random, 240);
                out.push(b'"');
            }
            Some(Failure::Denied) => {
                push(out, r#","errorCode":"AccessDenied","errorMessage":"User: "#);
                self.principal.push_arn(out, &self.subjects.place.account);
                push(out, " is not authorized to perform: ");
                self.push_action(out);
                push(out, " because no identity-based policy allows the ");
                self.push_action(out);
                push(out, r#" action""#);
            }
        }
    }

    /// The action as policies name it: without the date and the version that some events have.
    fn push_action(&self, out: &mut Vec<u8>) {
        let event = self.event.event;
        push(out, event.service);
        out.push(b':');
        let name = event.name.split(|c: char| c.is_ascii_digit()).next();
        push(out, name.unwrap_or(event.name));
    }

    /// From `requestParameters` to `additionalEventData`.
    fn push_content(&self, out: &mut Vec<u8>) {
        let Prepared {
            event,
            request,
            response,
            additional,
            ..
        } = self.event;
        if event.caller == Caller::SignIn {
            self.push_sign_in(out);
            return;
        }
        push(out, r#","requestParameters":"#);
        self.fill(out, request);
        push(out, r#","responseElements":"#);
        match self.failure {
            None => self.fill(out, response),
            Some(_) => push(out, "null"),
        }
        if let Some(additional) = additional {
            push(out, r#","additionalEventData":"#);
            self.fill(out, additional);
        }
    }

    fn push_sign_in(&self, out: &mut Vec<u8>) {
        let (outcome, factor) = (self.failure.is_none(), self.principal.has_second_factor());
        push(
            out,
            r#","requestParameters":null,"responseElements":{"ConsoleLogin":""#,
        );
        push(out, if outcome { "Success" } else { "Failure" });
        push(
            out,
            r#""},"additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true","MobileVersion":"No","MFAUsed":""#,
        );
        push(out, if factor { "Yes" } else { "No" });
        push(out, r#""}"#);
    }

    /// From `requestID` to `sharedEventID`.
    fn push_ids(&self, out: &mut Vec<u8>, random: &mut Random) {
        let event = self.event.event;
        let signs_in = event.caller == Caller::SignIn;
        if !signs_in {
            push(out, r#","requestID":""#);
            push_uuid(out, random);
            out.push(b'"');
        }
        push(out, r#","eventID":""#);
        push_uuid(out, random);
        push(out, r#"","readOnly":"#);
        push_bool(out, event.is_read());
        if let Some(resources) = &self.event.resources {
            push(out, r#","resources":"#);
            self.fill(out, resources);
        }
        push(out, r#","eventType":""#);
        push(
            out,
            if signs_in {
                "AwsConsoleSignIn"
            } else {
                "AwsApiCall"
            },
        );
        push(out, r#"","managementEvent":"#);
        push_bool(out, !event.is_data());
        push(out, r#","recipientAccountId":""#);
        push(out, &self.subjects.place.account);
        if self.principal.is_other_account() {
            push_member(out, "sharedEventID", "");
            push_uuid(out, random);
        }
        out.push(b'"');
    }

    /// From `vpcEndpointId` to the end.
    fn push_connection(&self, out: &mut Vec<u8>, random: &mut Random) {
        let event = self.event.event;
        let in_console = self.principal.is_in_console();
        if !self.principal.is_service() && !in_console && random.chance(BY_ENDPOINT) {
            let place = self.subjects.place;
            let mut endpoint =
                Random::keyed(place.seed, Subject::Endpoint, random.below(ENDPOINTS));
            push(out, r#","vpcEndpointId":"vpce-0"#);
            push_hex(out, endpoint.next(), 16);
            if event.version != "1.08" {
                push_member(out, "vpcEndpointAccountId", &place.account);
            }
            out.push(b'"');
        }
        push(out, r#","eventCategory":""#);
        push(
            out,
            if event.is_data() {
                "Data"
            } else {
                "Management"
            },
        );
        out.push(b'"');
        if !self.principal.is_service() {
            push(
                out,
                if random.chance(BY_OLD_TLS) {
                    r#","tlsDetails":{"tlsVersion":"TLSv1.2","cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256"#
                } else {
                    r#","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256"#
                },
            );
            push_member(out, "clientProvidedHostHeader", event.service);
            out.push(b'.');
            push(out, self.subjects.place.region);
            push(out, r#".amazonaws.com"}"#);
        }
        if in_console && event.caller == Caller::Own {
            push(out, r#","sessionCredentialFromConsole":"true""#);
        }
    }

    fn fill(&self, out: &mut Vec<u8>, template: &Template<Value>) {
        template.fill(out, |out, value| {
            self.values.push(out, value, &self.subjects);
        });
    }
}

/// Ends a string, and begins a member whose value is a string.
fn push_member(out: &mut Vec<u8>, name: &str, value: &str) {
    push(out, r#"",""#);
    push(out, name);
    push(out, r#"":""#);
    push(out, value);
}

fn push_bool(out: &mut Vec<u8>, value: bool) {
    push(out, if value { "true" } else { "false" });
}
