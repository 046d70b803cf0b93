use std::future::Future;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use super::Failure;

/// Turns many small reads into few large ones: what came in while the last query ran is the next query.
/// Nobody waits for a timer; an idle system asks at once, a busy one asks for hundreds of keys in one statement.
#[derive(Debug)]
pub struct Gather<K, V> {
    queue: mpsc::Sender<(K, oneshot::Sender<Result<V, Failure>>)>,
}

impl<K, V> Clone for Gather<K, V> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

/// How many reads may wait; more are refused with 503.
const QUEUE: usize = 8192;

impl<K: Send + Sync + 'static, V: Send + 'static> Gather<K, V> {
    /// `ask` gets 1 to `batch` keys and gives one value a key, in their order. `workers` queries run at once.
    pub fn new<F, Fut>(workers: usize, batch: usize, ask: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<V>, Failure>> + Send,
    {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (waiting, ask) = (Arc::new(Mutex::new(waiting)), Arc::new(ask));
        for _ in 0..workers.max(1) {
            let (waiting, ask) = (waiting.clone(), ask.clone());
            tokio::spawn(async move { work(&waiting, batch, &*ask).await });
        }
        Self { queue }
    }

    /// The value of a key.
    pub async fn get(&self, key: K) -> Result<V, Failure> {
        let (answer, value) = oneshot::channel();
        self.queue.try_send((key, answer)).map_err(|_| Failure::unavailable("too many reads are waiting"))?;
        value.await.map_err(|_| Failure::unavailable("the read was dropped"))?
    }
}

type Waiting<K, V> = Mutex<mpsc::Receiver<(K, oneshot::Sender<Result<V, Failure>>)>>;

async fn work<K, V, F, Fut>(waiting: &Waiting<K, V>, batch: usize, ask: &F)
where
    F: Fn(Vec<K>) -> Fut,
    Fut: Future<Output = Result<Vec<V>, Failure>>,
{
    let mut taken = Vec::with_capacity(batch);
    loop {
        if waiting.lock().await.recv_many(&mut taken, batch).await == 0 {
            return;
        }
        let (keys, answers): (Vec<K>, Vec<_>) = taken.drain(..).unzip();
        let asked = keys.len();
        match ask(keys).await {
            Ok(values) if values.len() == asked => {
                for (answer, value) in answers.into_iter().zip(values) {
                    // A client that went away does not wait for its answer.
                    let _ = answer.send(Ok(value));
                }
            }
            Ok(values) => fail(answers, &Failure::internal(format!("{asked} keys, {} values", values.len()))),
            Err(failure) => fail(answers, &failure),
        }
    }
}

fn fail<V>(answers: Vec<oneshot::Sender<Result<V, Failure>>>, failure: &Failure) {
    for answer in answers {
        let _ = answer.send(Err(failure.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn each_gets_its_own_value_in_few_queries() {
        let queries = Arc::new(AtomicUsize::new(0));
        let counted = queries.clone();
        let gather = Gather::new(1, 64, move |keys: Vec<u32>| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                Ok(keys.into_iter().map(|key| key * 2).collect())
            }
        });
        let values = futures_util::future::join_all((0..100).map(|key| gather.get(key))).await;
        assert!(values.into_iter().enumerate().all(|(key, value)| value.unwrap() as usize == key * 2));
        assert!(queries.load(Ordering::SeqCst) < 20);
    }

    #[tokio::test]
    async fn a_failure_reaches_everybody_who_waits() {
        let gather: Gather<u32, u32> = Gather::new(1, 8, |_| async { Err(Failure::unavailable("gone")) });
        assert!(matches!(gather.get(1).await, Err(Failure::Unavailable(_))));
    }
}
