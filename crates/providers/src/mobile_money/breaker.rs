//! Leaves a sick provider alone for a while: callers learn at once that nothing left, and may take another route.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

/// Opens after some failures in a row; after a pause lets one call through to see.
#[derive(Debug)]
pub(crate) struct Breaker {
    failures_to_open: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    closed_until: Option<Instant>,
}

impl Breaker {
    pub(crate) fn new(failures_to_open: u32, pause: Duration) -> Self {
        Self { failures_to_open: failures_to_open.max(1), pause, state: Mutex::default() }
    }

    /// Whether a call may leave now. During a pause the first call after its end is let through and starts the pause anew, so
    /// that one call probes and not a thousand.
    pub(crate) fn admits(&self) -> bool {
        let Ok(mut state) = self.state.lock() else { return true };
        match state.closed_until {
            Some(end) if Instant::now() < end => false,
            Some(_) => {
                state.closed_until = Some(Instant::now() + self.pause);
                true
            }
            None => true,
        }
    }

    pub(crate) fn success(&self) {
        if let Ok(mut state) = self.state.lock() {
            *state = State::default();
        }
    }

    pub(crate) fn failure(&self) {
        let Ok(mut state) = self.state.lock() else { return };
        state.failures = state.failures.saturating_add(1);
        if state.failures >= self.failures_to_open {
            state.closed_until = Some(Instant::now() + self.pause);
        }
    }

    /// Whether the provider is being left alone.
    pub(crate) fn is_open(&self) -> bool {
        self.state.lock().is_ok_and(|state| state.closed_until.is_some_and(|end| Instant::now() < end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn opens_after_failures_in_a_row_probes_once_and_closes_on_success() {
        let breaker = Breaker::new(3, Duration::from_millis(200));
        breaker.failure();
        breaker.failure();
        breaker.success();
        breaker.failure();
        breaker.failure();
        assert!(breaker.admits(), "a success between them starts the count anew");
        breaker.failure();
        assert!(!breaker.admits() && breaker.is_open());

        tokio::time::sleep(Duration::from_millis(220)).await;
        assert!(breaker.admits(), "one call probes");
        assert!(!breaker.admits(), "the second waits for its result");
        breaker.success();
        assert!(breaker.admits() && !breaker.is_open());
    }
}
