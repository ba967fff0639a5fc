//! What goes wrong.

/// Something that goes wrong for some requests.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The operation, as its service calls it; empty is any.
    pub operation: &'static str,
    /// The key, or the prefix of a listing, holds this.
    pub key: String,
    /// So many requests go well before.
    pub after: usize,
    /// How often it goes wrong.
    pub times: usize,
    /// What goes wrong.
    pub wrong: Wrong,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// The answer is this status and code.
    Status {
        /// Such as 503.
        status: u16,
        /// Such as `SlowDown`.
        code: &'static str,
        /// In words.
        message: &'static str,
    },
    /// The connection breaks after so many bytes of the body.
    BreakAfter(usize),
    /// One byte of the body is another, in the middle.
    Corrupt,
    /// The request is carried out, and the connection breaks without an answer.
    LoseAnswer,
}

impl Fault {
    /// Something that goes wrong once, for any key.
    pub fn once(operation: &'static str, wrong: Wrong) -> Self {
        Self {
            operation,
            key: String::new(),
            after: 0,
            times: 1,
            wrong,
        }
    }

    /// S3 asks to slow down, so many times.
    pub fn slow_down(operation: &'static str, times: usize) -> Self {
        Self::status(
            operation,
            503,
            "SlowDown",
            "Please reduce your request rate.",
        )
        .times(times)
    }

    /// The answer is this status and code, once.
    pub fn status(
        operation: &'static str,
        status: u16,
        code: &'static str,
        message: &'static str,
    ) -> Self {
        Self::once(
            operation,
            Wrong::Status {
                status,
                code,
                message,
            },
        )
    }

    /// The same, for keys that hold this.
    #[must_use]
    pub fn for_key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    /// The same, so many times.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// The same, after so many requests that go well.
    #[must_use]
    pub fn after(mut self, requests: usize) -> Self {
        self.after = requests;
        self
    }

    /// What goes wrong for this request, if anything does; it is one of those that are counted.
    pub fn strikes(&mut self, operation: &str, key: &str) -> Option<Wrong> {
        let meant = self.operation.is_empty() || self.operation == operation;
        if self.times == 0 || !meant || !key.contains(&self.key) {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.wrong.clone())
    }
}
