//! Global ids: url-safe base64, without padding, of `N`, the three-digit length of the type's name, the name and a number.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The type names that ids carry.
pub(super) mod kind {
    pub(in super::super) const ACCOUNT: &str = "Account";
    pub(in super::super) const USER: &str = "User";
    pub(in super::super) const USER_KEY: &str = "UserKey";
    pub(in super::super) const PROJECT: &str = "AiVisibilityProject";
    pub(in super::super) const BRAND: &str = "AiVisibilityBrand";
    pub(in super::super) const PROMPT: &str = "AiVisibilityPrompt";
    pub(in super::super) const RUN: &str = "AiVisibilityPromptRun";
    pub(in super::super) const TOPIC: &str = "AiVisibilityTopic";
    pub(in super::super) const PROVIDER: &str = "AiVisibilityAiProvider";
}

/// The global id of a number.
pub(super) fn encode(kind: &str, number: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("N{:03}{kind}{number}", kind.len()))
}

/// The number of a global id of this type; none when it is another type's, or no id at all.
pub(super) fn decode(kind: &str, id: &str) -> Option<u64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    let number = text.strip_prefix(&format!("N{:03}{kind}", kind.len()))?;
    number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_documentation() {
        assert_eq!(encode(kind::ACCOUNT, 12_345), "TjAwN0FjY291bnQxMjM0NQ");
        assert_eq!(encode(kind::PROMPT, 1), "TjAxOEFpVmlzaWJpbGl0eVByb21wdDE");
        assert_eq!(decode(kind::ACCOUNT, "TjAwN0FjY291bnQxMjM0NQ"), Some(12_345));
        // The examples of AI Visibility lack the prefix, and a prompt is no run.
        for (kind, id) in [
            (kind::PROMPT, "QWlWaXNpYmlsaXR5UHJvbXB0MQ"),
            (kind::PROMPT, &encode(kind::RUN, 1)),
            (kind::RUN, &encode(kind::PROMPT, 1)),
            (kind::ACCOUNT, "12345"),
            (kind::ACCOUNT, "%%"),
        ] {
            assert_eq!(decode(kind, id), None, "{id}");
        }
    }
}
