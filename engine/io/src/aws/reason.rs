//! What a refusal means where it is the same for all services that speak JSON.

use loglens_engine::Owner;

use super::refusal::Refusal;

/// Who can do something about a refusal, what it means, and the next step.
pub(crate) type Reason = (Owner, String, &'static str);

/// The reason for what is not the matter of a single service. `service` is its name for people,
/// `action` what a policy must allow.
pub(crate) fn reason(refusal: &Refusal, service: &str, action: &str) -> Reason {
    let code = refusal.code.as_deref().unwrap_or_default();
    if refusal.no_credentials {
        return (
            Owner::Config,
            "no credentials were found".to_owned(),
            "name a profile (--profile), set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso login`",
        );
    }
    match code {
        "AccessDeniedException" | "AccessDenied" => (
            Owner::External,
            format!("access denied: {action} is not allowed"),
            "allow it in a policy of the user or role; a policy of the organisation may deny it too",
        ),
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "InvalidClientTokenId"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => (
            Owner::Config,
            "AWS does not know these credentials".to_owned(),
            "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or name a profile: --profile",
        ),
        "ExpiredTokenException" | "ExpiredToken" => (
            Owner::Config,
            "the credentials have expired".to_owned(),
            "get new ones: `aws sso login`, or ask for a new session token",
        ),
        "RequestTimeTooSkewed" | "RequestExpired" => (
            Owner::External,
            "this machine's clock differs from AWS's by minutes".to_owned(),
            "set the clock",
        ),
        _ if refusal.status.is_none() => (
            Owner::External,
            format!("{service} cannot be reached: {}", refusal.message),
            "look at the network, --endpoint-url and --region",
        ),
        _ => (
            Owner::External,
            format!("{service} refused: {}", refusal.message)
                .trim_end_matches([' ', ':'])
                .to_owned(),
            "the request id tells AWS's support which request it was",
        ),
    }
}
