//! The sketches of all groups of a query, which are many, and nearly all of them small.
//!
//! While a group has few values, it has no sketch of its own: its codes stand with those of all
//! other such groups in one list of pairs (group, code), in order, 8 bytes each. New pairs are
//! gathered, put in order, and then merged into the list in place. So a group without values takes
//! nothing, and there are no allocations for each group. A group that gets more codes than are kept
//! leaves the list for a [`Sketch`].

use super::{Code, Sketch, State, codes_of, most_codes, same_precision};
use crate::error::{Error, Owner};

/// Group in the upper half, code in the lower one.
type Pair = u64;

/// New pairs that are gathered at least, before they are merged.
const GATHERED: usize = 32 * 1024;
/// Pairs that are remembered, not to be gathered again.
const REMEMBERED: usize = 8 * 1024;

/// The sketches of groups that are numbered from 0.
#[derive(Debug)]
pub(crate) struct GroupSketches {
    precision: u8,
    /// Pairs of groups without a sketch: ascending, no two alike.
    kept: Vec<Pair>,
    /// New ones, as they came.
    gathered: Vec<Pair>,
    /// The last ones, each where its bits say. Logs repeat themselves, and most repetitions end
    /// here. No pair is 0.
    remembered: Vec<Pair>,
    /// Of each group, one more than the place of its sketch; 0 if it has none. Ends with the last
    /// group that has one.
    places: Vec<u32>,
    sketches: Vec<Sketch>,
    /// Bytes of the sketches.
    sketch_bytes: usize,
    /// Bytes of the lists of those that are sparse.
    list_bytes: usize,
}

/// What a group holds.
pub(crate) enum Group<'a> {
    /// Few codes, ascending, perhaps none.
    Codes(&'a [Pair]),
    /// A sketch.
    Sketch(&'a mut Sketch),
}

impl GroupSketches {
    /// Without any groups.
    pub(crate) fn new(precision: u8) -> Self {
        Self {
            precision,
            kept: Vec::new(),
            gathered: Vec::new(),
            remembered: Vec::new(),
            places: Vec::new(),
            sketches: Vec::new(),
            sketch_bytes: 0,
            list_bytes: 0,
        }
    }

    /// The precision of all sketches.
    pub(crate) fn precision(&self) -> u8 {
        self.precision
    }

    /// Adds a code to a group.
    #[inline]
    pub(crate) fn insert(&mut self, group: usize, code: Code) -> Result<(), Error> {
        let pair = pair(group, code)?;
        if self.remembered.is_empty() {
            self.remembered.resize(REMEMBERED, 0);
        }
        // Codes are bits of hashes, and those of a group differ.
        let at = (pair ^ pair >> 32 ^ pair >> 16) as usize % REMEMBERED;
        if self.remembered[at] == pair {
            return Ok(());
        }
        self.remembered[at] = pair;
        if let Some(place) = self.place(group)
            && self.sketches[place].insert_quickly(code)
        {
            return Ok(());
        }
        self.gather(pair)
    }

    /// Adds a state to a group.
    pub(crate) fn merge(&mut self, group: usize, state: State<'_>) -> Result<(), Error> {
        same_precision(self.precision, state.precision())?;
        match state {
            State::Codes { bytes, .. } => {
                for code in codes_of(bytes) {
                    self.gather(pair(group, code)?)?;
                }
                Ok(())
            }
            State::Many(_) => match self.place(group) {
                Some(place) => self.change(place, |sketch| sketch.merge(&state)),
                // What is in the list goes into the sketch with the next gathered pairs.
                None => self.add_sketch(group, state.into_sketch()),
            },
        }
    }

    /// Takes the first groups out and shows what each holds; the numbers of the others go down.
    pub(crate) fn take(
        &mut self,
        groups: usize,
        mut show: impl FnMut(Group<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.settle()?;
        let mut rest = self.kept.as_slice();
        for group in 0..groups {
            let place = self.places.get(group).copied().unwrap_or(0);
            if let Some(sketch) = (place as usize).checked_sub(1) {
                show(Group::Sketch(&mut self.sketches[sketch]))?;
            } else {
                let end = rest.iter().position(|pair| group_of(*pair) != group);
                let (codes, after) = rest.split_at(end.unwrap_or(rest.len()));
                show(Group::Codes(codes))?;
                rest = after;
            }
        }
        let taken = self.kept.len() - rest.len();
        self.forget(groups, taken);
        Ok(())
    }

    /// Bytes that all of it takes.
    pub(crate) fn size(&self) -> usize {
        let pairs = self.kept.capacity() + self.gathered.capacity() + self.remembered.capacity();
        let unused = self.sketches.capacity() - self.sketches.len();
        size_of::<Self>()
            + pairs * size_of::<Pair>()
            + self.places.capacity() * size_of::<u32>()
            + unused * size_of::<Sketch>()
            + self.sketch_bytes
    }

    #[cfg(test)]
    pub(super) fn sketch_bytes(&self) -> usize {
        self.sketch_bytes
    }

    fn gather(&mut self, pair: Pair) -> Result<(), Error> {
        self.gathered.push(pair);
        if self.gathered.len() >= self.most_gathered() {
            self.settle()?;
        }
        Ok(())
    }

    /// How many pairs are gathered before they are merged. That looks at the whole list and at those
    /// of sparse sketches: the longer they are, the more is merged at once.
    fn most_gathered(&self) -> usize {
        let worth = self.kept.len() / 4 + self.list_bytes / (2 * size_of::<Pair>());
        GATHERED.max(worth)
    }

    /// Puts the gathered pairs where they belong.
    fn settle(&mut self) -> Result<(), Error> {
        self.gathered.sort_unstable();
        self.gathered.dedup();
        if !self.sketches.is_empty() {
            self.give_to_sketches()?;
        }
        merge_into(&mut self.kept, &mut self.gathered);
        self.make_sketches()?;
        // What left for sketches leaves room, and sketches that became dense gather no more.
        if self.kept.capacity() / 2 > self.kept.len().max(GATHERED) {
            self.kept.shrink_to_fit();
        }
        let most = self.most_gathered();
        if self.gathered.capacity() / 2 > most {
            self.gathered.shrink_to(most);
        }
        Ok(())
    }

    /// Of the gathered pairs, those of groups with a sketch go there.
    fn give_to_sketches(&mut self) -> Result<(), Error> {
        let mut gathered = std::mem::take(&mut self.gathered);
        let mut left = 0;
        let mut at = 0;
        while at < gathered.len() {
            let end = end_of_group(&gathered, at);
            if let Some(place) = self.place(group_of(gathered[at])) {
                self.insert_into(place, &gathered[at..end])?;
            } else {
                gathered.copy_within(at..end, left);
                left += end - at;
            }
            at = end;
        }
        gathered.truncate(left);
        self.gathered = gathered;
        Ok(())
    }

    /// Groups that got more codes than are kept get a sketch; so do those whose sketch came as a
    /// state while they had codes.
    fn make_sketches(&mut self) -> Result<(), Error> {
        let most = most_codes(self.precision);
        let mut kept = std::mem::take(&mut self.kept);
        let mut left = 0;
        let mut at = 0;
        while at < kept.len() {
            let end = end_of_group(&kept, at);
            let group = group_of(kept[at]);
            if let Some(place) = self.place(group) {
                self.insert_into(place, &kept[at..end])?;
            } else if end - at > most {
                self.add_sketch(group, Sketch::new(self.precision))?;
                self.insert_into(self.sketches.len() - 1, &kept[at..end])?;
            } else {
                if left != at {
                    kept.copy_within(at..end, left);
                }
                left += end - at;
            }
            at = end;
        }
        kept.truncate(left);
        self.kept = kept;
        Ok(())
    }

    fn place(&self, group: usize) -> Option<usize> {
        let place = self.places.get(group).copied()?;
        (place as usize).checked_sub(1)
    }

    fn add_sketch(&mut self, group: usize, sketch: Sketch) -> Result<(), Error> {
        self.sketch_bytes += sketch.size();
        self.list_bytes += sketch.list_bytes();
        self.sketches.push(sketch);
        if self.places.len() <= group {
            self.places.resize(group + 1, 0);
        }
        self.places[group] = u32::try_from(self.sketches.len()).map_err(|_| too_many())?;
        Ok(())
    }

    fn insert_into(&mut self, place: usize, pairs: &[Pair]) -> Result<(), Error> {
        let codes: Vec<Code> = pairs.iter().map(|pair| code_of(*pair)).collect();
        self.change(place, |sketch| sketch.insert(&codes))
    }

    fn change(
        &mut self,
        place: usize,
        change: impl FnOnce(&mut Sketch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let sketch = &mut self.sketches[place];
        let before = (sketch.size(), sketch.list_bytes());
        change(sketch)?;
        self.sketch_bytes = self.sketch_bytes + sketch.size() - before.0;
        self.list_bytes = self.list_bytes + sketch.list_bytes() - before.1;
        Ok(())
    }

    /// Drops the first groups, which have that many pairs.
    fn forget(&mut self, groups: usize, pairs: usize) {
        self.remembered = Vec::new();
        self.gathered = Vec::new();
        if pairs == self.kept.len() {
            self.kept = Vec::new();
        } else {
            self.kept.drain(..pairs);
        }
        let down = (groups as u64) << 32;
        for pair in &mut self.kept {
            *pair -= down;
        }
        let places = self.places.split_off(groups.min(self.places.len()));
        let mut sketches: Vec<_> = std::mem::take(&mut self.sketches)
            .into_iter()
            .map(Some)
            .collect();
        self.places = Vec::new();
        self.sketch_bytes = 0;
        self.list_bytes = 0;
        for (group, place) in places.into_iter().enumerate() {
            let sketch = (place as usize)
                .checked_sub(1)
                .and_then(|place| sketches[place].take());
            if let Some(sketch) = sketch {
                self.sketch_bytes += sketch.size();
                self.list_bytes += sketch.list_bytes();
                self.sketches.push(sketch);
                self.places.resize(group + 1, 0);
                let place = self.sketches.len() as u32;
                self.places[group] = place;
            }
        }
    }
}

/// The codes of pairs.
pub(crate) fn codes(pairs: &[Pair]) -> impl Iterator<Item = Code> {
    pairs.iter().map(|pair| code_of(*pair))
}

/// Merges ascending pairs into others, and leaves none. No memory is taken but what the longer list
/// needs.
fn merge_into(kept: &mut Vec<Pair>, new: &mut Vec<Pair>) {
    if kept.is_empty() {
        std::mem::swap(kept, new);
        return;
    }
    let (mut old, mut free) = (kept.len(), kept.len() + new.len());
    if kept.capacity() < free {
        // Doubling would take as much again as is needed.
        kept.reserve_exact(new.len() + old / 4);
    }
    kept.resize(free, 0);
    // From the end, where there is room.
    while let Some(pair) = new.pop() {
        while old > 0 && kept[old - 1] > pair {
            old -= 1;
            free -= 1;
            kept[free] = kept[old];
        }
        free -= 1;
        kept[free] = pair;
    }
    kept.dedup();
}

fn end_of_group(pairs: &[Pair], start: usize) -> usize {
    let group = group_of(pairs[start]);
    let others = pairs[start..]
        .iter()
        .position(|pair| group_of(*pair) != group);
    others.map_or(pairs.len(), |others| start + others)
}

#[inline]
fn pair(group: usize, code: Code) -> Result<Pair, Error> {
    let group = u32::try_from(group).map_err(|_| too_many())?;
    Ok(u64::from(group) << 32 | u64::from(code))
}

fn group_of(pair: Pair) -> usize {
    (pair >> 32) as usize
}

fn code_of(pair: Pair) -> Code {
    pair as Code
}

#[cold]
fn too_many() -> Error {
    Error::new(
        Owner::Query,
        "approx_distinct cannot tell more than 4,294,967,295 groups apart",
    )
}
