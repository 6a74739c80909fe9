//! The numbering plans, from the metadata of `phonenumber`. Its own parser and patterns are left aside: they take any way of writing a number,
//! drop leading zeros, and share one small cache of patterns behind one lock. A recipient is in E.164 form already.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use countersign_model::{Country, NumberKind};
use phonenumber::metadata::{DATABASE, Descriptor, Metadata};
use regex::{Regex, RegexSet};

use super::NumberFacts;

/// The plans under each country code, the main country's first.
static PLANS: LazyLock<HashMap<u16, Vec<Plan>>> = LazyLock::new(|| {
    let mut plans: HashMap<u16, Vec<Plan>> = HashMap::new();
    for code in 1..=999 {
        let regions = DATABASE.by_code(&code).unwrap_or_default();
        if !regions.is_empty() {
            plans.insert(code, regions.into_iter().map(Plan::of).collect());
        }
    }
    plans
});

/// The numbering plan of one country, or of a service that is in none.
struct Plan {
    country: Option<Country>,
    metadata: &'static Metadata,
    /// Whether numbers are told to be its own by how they begin, and not by being known to it.
    leading: Option<OnceLock<Option<Regex>>>,
    kinds: OnceLock<Option<Kinds>>,
}

/// The patterns of a plan: compiled once, when its first number is looked up.
struct Kinds {
    patterns: RegexSet,
    /// What each pattern means; none: that of all its numbers.
    meanings: Vec<Option<NumberKind>>,
}

/// What is known of a number that has digits beyond its country code. Codes are such that none begins another.
pub(super) fn look(digits: &str) -> NumberFacts {
    let found = (1..=3).filter(|length| digits.len() > *length).find_map(|length| {
        let (code, national) = digits.split_at(length);
        let plans = PLANS.get(&code.parse().ok()?)?;
        Some((plans, national))
    });
    let Some((plans, national)) = found else {
        return NumberFacts { country: None, kind: NumberKind::Unknown, possible: false, valid: false };
    };
    let facts = among(plans, national);
    if facts.valid {
        return facts;
    }
    let mut bare = plans.iter().filter_map(|plan| national.strip_prefix(plan.metadata.national_prefix()?));
    let meant = bare.find_map(|bare| Some(among(plans, bare)).filter(|facts| facts.valid));
    // With the prefix of calls at home it would be a second spelling of that line: some gateways reach it, others do not.
    meant.map_or(facts, |line| NumberFacts { possible: false, valid: false, ..line })
}

/// What the plans under one code say of the digits behind it.
fn among(plans: &[Plan], national: &str) -> NumberFacts {
    let possible = plans.iter().any(|plan| plan.lengths().any(|fits| usize::from(fits) == national.len()));
    let own = match plans {
        [only] => Some((only, only.kind(national))),
        shared => shared.iter().find_map(|plan| plan.claims(national)),
    };
    let (country, kind) = own.map_or((None, None), |(plan, kind)| (plan.country, kind));
    NumberFacts {
        country,
        kind: kind.unwrap_or(NumberKind::Unknown),
        possible: possible || kind.is_some(),
        valid: kind.is_some(),
    }
}

impl Plan {
    fn of(metadata: &'static Metadata) -> Self {
        Self {
            // What is in no country goes by the number of the world, which is not two letters.
            country: metadata.id().parse().ok(),
            metadata,
            leading: metadata.leading_digits().map(|_| OnceLock::new()),
            kinds: OnceLock::new(),
        }
    }

    /// Whether a number under a code that it shares with others is its own, and of which kind.
    fn claims(&self, national: &str) -> Option<(&Self, Option<NumberKind>)> {
        let Some(leading) = &self.leading else {
            return self.kind(national).map(|kind| (self, Some(kind)));
        };
        let begins = || Regex::new(&format!("^(?x-u:{})", self.metadata.leading_digits()?.as_str())).ok();
        let own = leading.get_or_init(begins).as_ref().is_some_and(|begins| begins.is_match(national));
        own.then(|| (self, self.kind(national)))
    }

    /// What kind of number it is; none: the plan does not know it.
    fn kind(&self, national: &str) -> Option<NumberKind> {
        let kinds = self.kinds.get_or_init(|| Kinds::of(self.metadata)).as_ref()?;
        let (mut general, mut fixed, mut mobile, mut other) = (false, false, false, None);
        // In the order in which a number that is of several kinds is called one.
        for at in kinds.patterns.matches(national) {
            match kinds.meanings[at] {
                None => general = true,
                Some(NumberKind::FixedLine) => fixed = true,
                Some(NumberKind::Mobile) => mobile = true,
                Some(kind) => other = other.or(Some(kind)),
            }
        }
        let line = match (fixed, mobile) {
            (true, true) => Some(NumberKind::FixedOrMobile),
            (true, false) => Some(NumberKind::FixedLine),
            (false, true) => Some(NumberKind::Mobile),
            (false, false) => None,
        };
        other.or(line).filter(|_| general)
    }

    /// How long its numbers may be, without the country code.
    fn lengths(&self) -> impl Iterator<Item = u16> {
        let general = self.metadata.descriptors().general();
        let kinds = descriptors(self.metadata).into_iter().filter_map(|(_, descriptor)| descriptor);
        std::iter::once(general).chain(kinds).flat_map(|descriptor| descriptor.possible_length().iter().copied())
    }
}

impl Kinds {
    /// None where the metadata holds a pattern that is none, which its own build rules out.
    fn of(metadata: &Metadata) -> Option<Self> {
        let (mut sources, mut meanings) = (Vec::new(), Vec::new());
        let all = std::iter::once((None, Some(metadata.descriptors().general())));
        let kinds = descriptors(metadata).into_iter().map(|(kind, descriptor)| (Some(kind), descriptor));
        for (meaning, descriptor) in all.chain(kinds) {
            if let Some(descriptor) = descriptor {
                sources.push(format!("^(?x-u:{})$", descriptor.national_number().as_str()));
                meanings.push(meaning);
            }
        }
        Some(Self { patterns: RegexSet::new(sources).ok()?, meanings })
    }
}

/// The kinds of a plan. A number that is of several is called the first of them.
fn descriptors(metadata: &Metadata) -> [(NumberKind, Option<&Descriptor>); 10] {
    let plan = metadata.descriptors();
    [
        (NumberKind::PremiumRate, plan.premium_rate()),
        (NumberKind::TollFree, plan.toll_free()),
        (NumberKind::SharedCost, plan.shared_cost()),
        (NumberKind::Voip, plan.voip()),
        (NumberKind::Personal, plan.personal_number()),
        (NumberKind::Pager, plan.pager()),
        (NumberKind::Uan, plan.uan()),
        (NumberKind::Voicemail, plan.voicemail()),
        (NumberKind::FixedLine, plan.fixed_line()),
        (NumberKind::Mobile, plan.mobile()),
    ]
}
