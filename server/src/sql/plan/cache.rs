//! The plan cache: the plans of a replica, by fingerprint.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::common::ScalarValue;
use lru::LruCache;

use super::plan::Plan;
use crate::sql::statement::KeptUnder;
use crate::sql::syntax::{Digest, Fingerprint};

/// Fingerprints of statements that are remembered. The one that was not used for longest is forgotten.
const FINGERPRINTS_MAX: usize = 512;

/// Plans of one fingerprint: statements that differ in values that no parameter can stand for, as in LIMIT.
const PLANS_PER_FINGERPRINT_MAX: usize = 8;

/// The plans of a replica.
#[derive(Debug)]
pub struct PlanCache(Mutex<LruCache<String, Entry>>);

/// What is known of statements of one fingerprint.
#[derive(Debug)]
struct Entry {
    /// By literal: whether a parameter stands for it.
    open: Vec<bool>,
    /// By the values of the other literals.
    plans: Vec<(Vec<String>, Arc<Plan>)>,
    /// That of all of them.
    digest: Arc<Digest>,
}

/// What is there already for a statement.
#[derive(Debug)]
pub struct Found {
    /// Its plan.
    pub plan: Arc<Plan>,
    /// The values that the plan waits for.
    pub values: Vec<ScalarValue>,
    /// What the statement has in common with others.
    pub digest: Arc<Digest>,
}

impl Default for PlanCache {
    fn default() -> Self {
        const MAX: NonZeroUsize = NonZeroUsize::new(FINGERPRINTS_MAX).expect("it is not 0");
        Self(Mutex::new(LruCache::new(MAX)))
    }
}

impl PlanCache {
    fn lock(&self) -> MutexGuard<'_, LruCache<String, Entry>> {
        // Nothing panics while it is held, and what it guards is whole between two calls.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plan of a statement.
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<Found> {
        let (plan, digest) = {
            let mut known = self.lock();
            let known = known.get(&fingerprint.key)?;
            let fixed = fingerprint.fixed(&known.open);
            let (_, plan) = known.plans.iter().find(|(values, _)| values.iter().eq(fixed.iter().copied()))?;
            (Arc::clone(plan), Arc::clone(&known.digest))
        };
        let values = plan.values(fingerprint)?;
        Some(Found { plan, values, digest })
    }

    /// Keeps the plan of a statement.
    pub fn put(&self, kept_under: &KeptUnder, plan: Arc<Plan>) {
        let KeptUnder { fingerprint, digest } = kept_under;
        let mut open = vec![false; fingerprint.literals.len()];
        plan.parameters.iter().for_each(|parameter| open[parameter.literal] = true);
        let fixed: Vec<String> = fingerprint.fixed(&open).into_iter().map(str::to_owned).collect();
        let mut known = self.lock();
        let entry = |open| Entry { open, plans: Vec::new(), digest: Arc::clone(digest) };
        let known = known.get_or_insert_mut(fingerprint.key.clone(), || entry(open.clone()));
        if known.open != open {
            *known = entry(open);
        }
        known.plans.retain(|(values, _)| *values != fixed);
        if known.plans.len() == PLANS_PER_FINGERPRINT_MAX {
            known.plans.remove(0);
        }
        known.plans.push((fixed, plan));
    }
}
