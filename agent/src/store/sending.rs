//! Which reports are being sent. Only the running agent knows: one that ends has nothing on its way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// Ids, each with the number of the content that is on its way. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Sending(Arc<Mutex<HashMap<Uuid, i64>>>);

impl Sending {
    pub(super) fn add(&self, reports: impl IntoIterator<Item = (Uuid, i64)>) {
        self.lock().extend(reports);
    }

    pub(super) fn remove(&self, reports: impl IntoIterator<Item = Uuid>) {
        let mut sending = self.lock();
        for id in reports {
            sending.remove(&id);
        }
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.lock().contains_key(&id)
    }

    pub(super) fn all(&self) -> HashMap<Uuid, i64> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, i64>> {
        // A panic while the lock was held cannot have left it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
