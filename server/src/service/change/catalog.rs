//! A change of the catalog: from a statement to one command.

use std::sync::Arc;

use super::{Attempt, Author, PAUSE, TRIES_MAX};
use crate::base::clock;
use crate::catalog::change::{CatalogChange, Changed};
use crate::catalog::{Proposal, State};
use crate::service::query::Error;

/// Makes the change of a statement, exactly once for its change key; gives a state that has it.
pub async fn make(author: &Author<'_>, change: &CatalogChange, change_key: Option<&str>) -> Result<Arc<State>, Error> {
    attempts(author, change, &author.change_key(change_key)).await.map_err(|error| author.tries.told(error))
}

async fn attempts(author: &Author<'_>, change: &CatalogChange, change_key: &str) -> Result<Arc<State>, Error> {
    let mut last = String::from("nothing was tried");
    for _ in 0..TRIES_MAX {
        let state = author.group.read_barrier(author.deadline).await?;
        let proposal = Proposal::change(clock::now_us(), change_key.to_owned(), change.clone());
        match state.draft(&proposal).1 {
            // An earlier attempt whose answer was lost has made it; or nobody has to.
            Ok(Changed::Before | Changed::Nothing) => return Ok(state),
            Ok(Changed::Made) => {}
            Err(why) => return Err(Error::ChangeRefused(why)),
        }
        match author.propose(&proposal).await? {
            Attempt::Made(_) => return Ok(author.group.read_barrier(author.deadline).await?),
            Attempt::Refused(why) => return Err(Error::ChangeRefused(why)),
            Attempt::Unknown(why) => last = why,
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::ChangeUnknown(last))
}
