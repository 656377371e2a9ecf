//! Faults as a list of values: what goes wrong, and where. A seed determines such a list; a list
//! can be reduced, printed, and pasted into a test.

/// A kind of place where something can go wrong; each is counted through a whole history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Site {
    /// A call of a token.
    Call,
    /// A write to a medium or to the output.
    Write,
    /// A question to people.
    Question,
    /// A signature of somebody's card.
    Card,
    /// Between two sessions.
    Session,
}

/// Something that goes wrong once: at the site of this number, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Token(u32, OfToken),
    Write(u32, OfWrite),
    People(u32, OfPeople),
    Card(u32, OfPeople),
    Media(u32, OfMedium),
}

/// What a token does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfToken {
    /// It answers an error and has done nothing.
    FailsBefore(u8),
    /// It did what was asked, or a part of it, and answers an error.
    FailsAfter(u8, Remains),
    /// The power is cut before it receives the request.
    StopsBefore,
    /// The power is cut when all or a part was done, before the answer arrives.
    StopsAfter(Remains),
    /// It gives a false answer.
    Lies(u8),
    /// It stops answering for the rest of this session.
    Resets,
    /// It never answers again.
    Dies,
    /// It answers correctly, and meanwhile the clock jumps by this many minutes.
    Clock(i16),
}

/// What is left of a key generation or of the writing of a head; everything else is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remains {
    /// All of it.
    Whole,
    /// It was lost again.
    Nothing,
    /// One of two objects: the private key, or the old head beside the new one.
    First,
    /// The other one: the public key.
    Second,
    /// An object that bears no CKA_ID.
    Nameless,
}

/// What a medium does with a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfWrite {
    /// The power is cut when this many 256ths are durable.
    Torn(u8),
    /// The power is cut when everything is durable.
    StopsAfter,
    /// It is full when this many 256ths are written.
    Full(u8),
    /// It is all written, and its sync fails.
    NotSynced,
    /// It is pulled out.
    Vanishes,
}

/// What people do at a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfPeople {
    /// They type something that is not an answer.
    Mistaken,
    /// They answer wrongly.
    Wrong,
    /// They stop the ceremony, or do not consent.
    Refuse,
    /// They say that something is not as the script has it.
    Deviate,
    /// They make a break, where one can be made.
    Break,
    /// They leave, and the process is ended while it waits.
    Leave,
    /// They take this many hours.
    Late(u8),
    /// The clock jumps by this many minutes.
    Clock(i16),
}

/// What becomes of a medium (0 or 1) between two sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfMedium {
    /// It is lost; an empty one takes its place.
    Lost(u8),
    /// This many of its last records are gone.
    Shorter(u8, u8),
    /// Somebody has added an answer to it that people never gave.
    Forged(u8),
    /// A bit of it has changed.
    Flipped(u8, u16),
    /// It ends with octets that are not a record.
    Garbage(u8),
}

impl Fault {
    /// Where it happens.
    pub(super) const fn at(&self) -> (Site, u32) {
        match self {
            Self::Token(number, _) => (Site::Call, *number),
            Self::Write(number, _) => (Site::Write, *number),
            Self::People(number, _) => (Site::Question, *number),
            Self::Card(number, _) => (Site::Card, *number),
            Self::Media(number, _) => (Site::Session, *number),
        }
    }
}

/// Numbers out of a seed: SplitMix64.
pub(super) struct Numbers {
    state: u64,
    /// The medium that something may become of between two sessions.
    medium: u8,
}

impl Numbers {
    pub(super) const fn of(seed: u64) -> Self {
        Self { state: seed, medium: 0 }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, which is not 0.
    pub(super) fn below(&mut self, most: u32) -> u32 {
        u32::try_from(self.next() % u64::from(most)).unwrap()
    }

    fn small(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(u32::try_from(of.len()).unwrap())).unwrap()]
    }

    /// The faults of one history, at sites of which a history without faults passes so many.
    pub(super) fn faults(&mut self, passed: impl Fn(Site) -> u32) -> Vec<Fault> {
        let many = self.one_of(&[1, 1, 2, 2, 3, 4, 6]);
        let mut faults: Vec<Fault> = Vec::new();
        // No ceremony can go on when both media are lost at once.
        self.medium = u8::try_from(self.below(2)).unwrap();
        for _ in 0..many {
            let fault = self.fault(&passed);
            if faults.iter().all(|other| other.at() != fault.at()) {
                faults.push(fault);
            }
        }
        faults
    }

    fn fault(&mut self, passed: &impl Fn(Site) -> u32) -> Fault {
        let kinds = [Site::Call, Site::Call, Site::Call, Site::Write, Site::Write];
        let others = [Site::Question, Site::Question, Site::Card, Site::Session];
        let site = self.one_of(&[&kinds[..], &others[..]].concat());
        // What follows an interruption has further sites.
        let number = self.below(passed(site) * 5 / 4 + 1);
        match site {
            Site::Call => Fault::Token(number, self.of_token()),
            Site::Write => Fault::Write(number, self.of_write()),
            Site::Question => Fault::People(number, self.of_people()),
            Site::Card => Fault::Card(number, self.of_people()),
            Site::Session => Fault::Media(self.one_of(&[0, 0, 0, 1, 2]), self.of_medium()),
        }
    }

    fn of_token(&mut self) -> OfToken {
        let (code, remains) = (self.small(), self.remains());
        let minutes = self.one_of(&[-90_i16, -1, 90]);
        match self.below(18) {
            0..=2 => OfToken::FailsBefore(code),
            3..=5 => OfToken::FailsAfter(code, remains),
            6..=7 => OfToken::StopsBefore,
            8..=10 => OfToken::StopsAfter(remains),
            11..=13 => OfToken::Lies(code),
            14 => OfToken::Resets,
            15..=16 => OfToken::Clock(minutes),
            _ => OfToken::Dies,
        }
    }

    fn remains(&mut self) -> Remains {
        let all = [Remains::Nothing, Remains::First, Remains::Second, Remains::Nameless];
        self.one_of(&[&all[..], &[Remains::Whole, Remains::Whole]].concat())
    }

    fn of_write(&mut self) -> OfWrite {
        let part = self.small();
        match self.below(7) {
            0..=1 => OfWrite::Torn(part),
            2..=3 => OfWrite::StopsAfter,
            4 => OfWrite::Full(part),
            5 => OfWrite::NotSynced,
            _ => OfWrite::Vanishes,
        }
    }

    fn of_people(&mut self) -> OfPeople {
        let minutes = self.one_of(&[-600_i16, -90, -1, 1, 90, 600]);
        match self.below(10) {
            0 => OfPeople::Mistaken,
            1 => OfPeople::Wrong,
            2 => OfPeople::Refuse,
            3 => OfPeople::Deviate,
            4 => OfPeople::Break,
            5 | 6 => OfPeople::Leave,
            7 => OfPeople::Late(self.one_of(&[1, 3, 9])),
            _ => OfPeople::Clock(minutes),
        }
    }

    fn of_medium(&mut self) -> OfMedium {
        let medium = self.medium;
        match self.below(6) {
            0 => OfMedium::Lost(medium),
            1 => OfMedium::Shorter(medium, 1 + self.small() % 9),
            2..=3 => OfMedium::Forged(medium),
            4 => OfMedium::Flipped(medium, u16::from(self.small()) * 256),
            _ => OfMedium::Garbage(medium),
        }
    }
}
