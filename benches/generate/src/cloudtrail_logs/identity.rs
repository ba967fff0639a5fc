//! How `userIdentity` describes those who act.

use super::Place;
use super::principal::{Kind, Principal};
use crate::template::{Template, holes};

holes! {
    /// What differs between identities of one type.
    Part {
        Account = "account",
        OtherAccount = "other-account",
        Arn = "arn",
        Id = "id",
        AccessKey = "access-key",
        Name = "name",
        Session = "session",
        Began = "began",
        SecondFactor = "second-factor",
        Service = "service",
    }
}

const ROLE: &str = r#"{"type":"AssumedRole","principalId":"AROA<id>:<session>","arn":"<arn>","accountId":"<account>","accessKeyId":"ASIA<access-key>","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA<id>","arn":"arn:aws:iam::<account>:role/<name>","accountId":"<account>","userName":"<name>"},"attributes":{"creationDate":"<began>","mfaAuthenticated":"<second-factor>"}}}"#;
const USER: &str = r#"{"type":"IAMUser","principalId":"AIDA<id>","arn":"<arn>","accountId":"<account>","accessKeyId":"AKIA<access-key>","userName":"<name>"}"#;
const ROOT: &str = r#"{"type":"Root","principalId":"<account>","arn":"<arn>","accountId":"<account>","accessKeyId":"","sessionContext":{"attributes":{"creationDate":"<began>","mfaAuthenticated":"<second-factor>"}}}"#;
const FEDERATED: &str = r#"{"type":"FederatedUser","principalId":"<account>:<name>","arn":"<arn>","accountId":"<account>","accessKeyId":"ASIA<access-key>","sessionContext":{"sessionIssuer":{"type":"IAMUser","principalId":"AIDA<id>","arn":"arn:aws:iam::<account>:user/broker","accountId":"<account>","userName":"broker"},"attributes":{"creationDate":"<began>","mfaAuthenticated":"<second-factor>"}}}"#;
const SAML: &str = r#"{"type":"SAMLUser","principalId":"example-sso:<name>@example.com","userName":"<name>@example.com","identityProvider":"example-sso"}"#;
const WEB_IDENTITY: &str = r#"{"type":"WebIdentityUser","principalId":"ci.example.com:deploy:repo:example/<name>","userName":"repo:example/<name>","identityProvider":"ci.example.com"}"#;
const OTHER_ACCOUNT: &str =
    r#"{"type":"AWSAccount","principalId":"AROA<id>:<session>","accountId":"<other-account>"}"#;
const SERVICE: &str = r#"{"type":"AWSService","invokedBy":"<service>"}"#;

/// Identities of every type.
pub(super) struct Identities {
    role: Template<Part>,
    user: Template<Part>,
    root: Template<Part>,
    federated: Template<Part>,
    saml: Template<Part>,
    web_identity: Template<Part>,
    other_account: Template<Part>,
    service: Template<Part>,
}

impl Identities {
    pub(super) fn new() -> Self {
        let template = |text| Template::parse(text, Part::named);
        Self {
            role: template(ROLE),
            user: template(USER),
            root: template(ROOT),
            federated: template(FEDERATED),
            saml: template(SAML),
            web_identity: template(WEB_IDENTITY),
            other_account: template(OTHER_ACCOUNT),
            service: template(SERVICE),
        }
    }

    /// Appends `userIdentity`, for an event at a time in Unix seconds.
    pub(super) fn push(&self, out: &mut Vec<u8>, principal: &Principal, place: &Place, time: u64) {
        let template = match principal.kind {
            Kind::Role => &self.role,
            Kind::User => &self.user,
            Kind::Root => &self.root,
            Kind::Federated => &self.federated,
            Kind::Saml => &self.saml,
            Kind::WebIdentity => &self.web_identity,
            Kind::OtherAccount => &self.other_account,
            Kind::Service(_) => &self.service,
        };
        template.fill(out, |out, part| principal.push_part(out, part, place, time));
    }
}
