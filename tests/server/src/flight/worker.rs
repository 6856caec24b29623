//! Queries beside the connections.

use datafusion::{
    error::{DataFusionError, Result},
    execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::{StreamExt, stream};
use tokio::sync::{mpsc, oneshot};

use crate::tasks::Tasks;

/// Batches that may wait for the client.
const WAITING: usize = 2;

/// Plans and runs a query on a thread of its own. It ends when the result is no longer wanted.
pub(crate) async fn run<Q>(tasks: &Tasks, query: Q) -> Result<SendableRecordBatchStream>
where
    Q: Future<Output = Result<SendableRecordBatchStream>> + Send + 'static,
{
    let (planned, plan) = oneshot::channel();
    let (results, batches) = mpsc::channel(WAITING);
    tasks.compute(async move {
        // If the receiver of either channel is gone, the client is gone.
        let mut stream = match query.await {
            Ok(stream) => stream,
            Err(error) => return drop(planned.send(Err(error))),
        };
        if planned.send(Ok(stream.schema())).is_err() {
            return;
        }
        loop {
            let batch = tokio::select! {
                biased;
                () = results.closed() => return,
                batch = stream.next() => batch,
            };
            let Some(batch) = batch else { return };
            if results.send(batch).await.is_err() {
                return;
            }
        }
    });
    let gone = |_| DataFusionError::Internal("the query panicked".to_owned());
    let schema = plan.await.map_err(gone)??;
    let batches = stream::unfold(batches, |mut batches| async move {
        batches.recv().await.map(|batch| (batch, batches))
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
}
