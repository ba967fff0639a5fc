//! Kinds of events.

use super::catalogue::EVENTS;
use super::value::Value;
use crate::template::Template;

/// A kind of event. What it asks for, gets and acts on is JSON with the holes of [`Value`].
pub(super) struct Event {
    /// The service, as `eventSource` has it before `.amazonaws.com`.
    pub(super) service: &'static str,
    pub(super) name: &'static str,
    /// `eventVersion`.
    pub(super) version: &'static str,
    pub(super) caller: Caller,
    pub(super) effect: Effect,
    /// `requestParameters`.
    request: &'static str,
    /// `responseElements` of a success.
    response: &'static str,
    /// `additionalEventData`; empty when there is none.
    additional: &'static str,
    /// `resources`; empty when there are none.
    resources: &'static str,
}

/// Who causes an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// Roles and users of the account.
    Own,
    /// An AWS service, by its name before `.amazonaws.com`.
    Service(&'static str),
    /// Another account.
    OtherAccount,
    /// Somebody whom an identity provider knows, by SAML.
    Saml,
    /// The same by a token of the Web.
    WebIdentity,
    /// A user with a session token of its own.
    Federated,
    /// A person who signs in to the console.
    SignIn,
}

/// What an event does, and to what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Read,
    Write,
    ReadData,
    WriteData,
}

/// An event whose JSON has been read.
pub(super) struct Prepared {
    pub(super) event: &'static Event,
    pub(super) request: Template<Value>,
    pub(super) response: Template<Value>,
    pub(super) additional: Option<Template<Value>>,
    pub(super) resources: Option<Template<Value>>,
}

/// All events, in the order of the catalogue.
pub(super) fn prepared() -> Vec<Prepared> {
    let template = |text| Template::parse(text, Value::named);
    let optional = |text: &'static str| (!text.is_empty()).then(|| template(text));
    EVENTS
        .iter()
        .map(|(_, event)| Prepared {
            event,
            request: template(event.request),
            response: template(event.response),
            additional: optional(event.additional),
            resources: optional(event.resources),
        })
        .collect()
}

impl Event {
    /// One that asks for nothing and gets nothing.
    pub(super) const fn new(
        service: &'static str,
        name: &'static str,
        version: &'static str,
        caller: Caller,
        effect: Effect,
    ) -> Self {
        Self {
            service,
            name,
            version,
            caller,
            effect,
            request: "null",
            response: "null",
            additional: "",
            resources: "",
        }
    }

    pub(super) const fn asks(self, request: &'static str) -> Self {
        Self { request, ..self }
    }

    pub(super) const fn gets(self, response: &'static str) -> Self {
        Self { response, ..self }
    }

    pub(super) const fn adds(self, additional: &'static str) -> Self {
        Self { additional, ..self }
    }

    pub(super) const fn of(self, resources: &'static str) -> Self {
        Self { resources, ..self }
    }

    /// Whether it is only logged in us-east-1.
    pub(super) fn is_global(&self) -> bool {
        matches!(self.service, "iam" | "signin")
    }

    pub(super) fn is_data(&self) -> bool {
        matches!(self.effect, Effect::ReadData | Effect::WriteData)
    }

    pub(super) fn is_read(&self) -> bool {
        matches!(self.effect, Effect::Read | Effect::ReadData)
    }
}
