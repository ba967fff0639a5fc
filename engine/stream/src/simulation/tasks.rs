//! The tasks of all workers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use futures::future::BoxFuture;

use crate::worker::Spawn;

/// Tasks, each of a worker.
#[derive(Default)]
pub(super) struct Tasks {
    running: Vec<Task>,
    spawned: Arc<Mutex<Vec<Task>>>,
}

struct Task {
    worker: usize,
    future: BoxFuture<'static, ()>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Task {
    fn new(worker: usize, future: BoxFuture<'static, ()>) -> Self {
        Self {
            worker,
            future,
            woken: Arc::new(Woken(AtomicBool::new(true))),
        }
    }
}

impl Tasks {
    /// What starts tasks of a worker.
    pub(super) fn spawn(&self, worker: usize) -> Spawn {
        let spawned = Arc::clone(&self.spawned);
        Arc::new(move |future| spawned.lock().unwrap().push(Task::new(worker, future)))
    }

    /// Lets all go on that can, until all wait; gives the workers of those that ended.
    pub(super) fn run(&mut self, is_paused: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut ended = Vec::new();
        loop {
            self.running.append(&mut self.spawned.lock().unwrap());
            let can_run = |task: &Task| task.woken.0.load(Ordering::Relaxed);
            let next = self
                .running
                .iter()
                .position(|task| can_run(task) && !is_paused(task.worker));
            let Some(next) = next else {
                return ended;
            };
            let task = &mut self.running[next];
            task.woken.0.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(&task.woken));
            let is_done = task
                .future
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready();
            if is_done {
                ended.push(self.running.remove(next).worker);
            }
        }
    }

    /// Whether a worker has any.
    pub(super) fn are_of(&self, worker: usize) -> bool {
        self.running.iter().any(|task| task.worker == worker)
    }

    /// Ends all of a worker, wherever they are.
    pub(super) fn kill(&mut self, worker: usize) {
        self.running.retain(|task| task.worker != worker);
    }
}
