use serde::{Deserialize, Serialize};

use crate::{Channel, Country, Flaw};

/// What kind of line a number is, by its country's numbering plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// A mobile phone.
    Mobile,
    /// A line at a fixed place.
    FixedLine,
    /// The plan does not tell them apart, as in North America.
    FixedOrMobile,
    /// Calls are free for the caller.
    TollFree,
    /// Calls earn its owner money: what fraudsters have codes sent to.
    PremiumRate,
    /// Caller and owner share the cost.
    SharedCost,
    /// An internet line.
    Voip,
    /// Follows a person to whatever line is theirs; in some countries at a high price.
    Personal,
    /// A pager.
    Pager,
    /// One number for all places of a company.
    Uan,
    /// Leads to somebody's voice mail.
    Voicemail,
    /// No kind that the plan knows, or of no known country.
    Unknown,
}

impl NumberKind {
    /// The word used in configuration, records and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::FixedLine => "fixed_line",
            Self::FixedOrMobile => "fixed_or_mobile",
            Self::TollFree => "toll_free",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Voip => "voip",
            Self::Personal => "personal",
            Self::Pager => "pager",
            Self::Uan => "uan",
            Self::Voicemail => "voicemail",
            Self::Unknown => "unknown",
        }
    }
}

/// To which countries one channel goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeoRules {
    /// Only these; none: all. A number that is of no country is in no list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Country>,
    /// Never these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub block: Vec<Country>,
    /// These go out, but every message is counted and logged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monitor: Vec<Country>,
}

/// To which numbers live messages go. What is left open, the installation decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberRules {
    /// Text messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<GeoRules>,
    /// WhatsApp messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whatsapp: Option<GeoRules>,
    /// Calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<GeoRules>,
    /// Kinds of number that get nothing, on any channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_types: Option<Vec<NumberKind>>,
}

/// What the rules say of one number on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It may go.
    Free,
    /// It may go, and somebody wants to know.
    Monitored,
    /// It may not.
    Barred,
}

impl Passage {
    /// The word used in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "allowed",
            Self::Monitored => "monitored",
            Self::Barred => "blocked",
        }
    }
}

impl GeoRules {
    fn passage(&self, country: Option<Country>) -> Passage {
        let among = |list: &[Country]| country.is_some_and(|country| list.contains(&country));
        if among(&self.block) || (!self.allow.is_empty() && !among(&self.allow)) {
            Passage::Barred
        } else if among(&self.monitor) {
            Passage::Monitored
        } else {
            Passage::Free
        }
    }

    fn check(&self, field: &str, found: &mut Vec<Flaw>) {
        let overlap = |one: &[Country], other: &[Country]| one.iter().any(|country| other.contains(country));
        if overlap(&self.block, &self.allow) || overlap(&self.block, &self.monitor) {
            found.push(Flaw::new(field, "must not block a country that it allows or monitors"));
        }
    }
}

impl NumberRules {
    /// What an installation starts with: numbers that earn their owners money get nothing.
    pub const BLOCKED_TYPES: [NumberKind; 2] = [NumberKind::PremiumRate, NumberKind::SharedCost];

    /// Whether nothing is decided.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These rules, with what they leave open taken from `base`: a channel's lists go together.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        Self {
            sms: self.sms.clone().or_else(|| base.sms.clone()),
            whatsapp: self.whatsapp.clone().or_else(|| base.whatsapp.clone()),
            voice: self.voice.clone().or_else(|| base.voice.clone()),
            blocked_types: self.blocked_types.clone().or_else(|| base.blocked_types.clone()),
        }
    }

    /// What they say of a number of this country and kind.
    #[must_use]
    pub fn passage(&self, channel: Channel, country: Option<Country>, kind: NumberKind) -> Passage {
        let blocked = match &self.blocked_types {
            Some(kinds) => kinds.contains(&kind),
            None => Self::BLOCKED_TYPES.contains(&kind),
        };
        if blocked { Passage::Barred } else { self.geo(channel).map_or(Passage::Free, |rules| rules.passage(country)) }
    }

    /// The lists of a channel; a mailbox is in no country.
    const fn geo(&self, channel: Channel) -> Option<&GeoRules> {
        match channel {
            Channel::Email => None,
            Channel::Sms => self.sms.as_ref(),
            Channel::Whatsapp => self.whatsapp.as_ref(),
            Channel::Voice => self.voice.as_ref(),
        }
    }

    /// Everything in them that contradicts itself.
    #[must_use]
    pub fn check(&self) -> Vec<Flaw> {
        let mut found = Vec::new();
        for channel in Channel::ALL {
            if let Some(rules) = self.geo(channel) {
                rules.check(channel.as_str(), &mut found);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn countries(codes: &[&str]) -> Vec<Country> {
        codes.iter().map(|code| code.parse().unwrap()).collect()
    }

    fn rules(allow: &[&str], block: &[&str], monitor: &[&str]) -> NumberRules {
        let sms = GeoRules { allow: countries(allow), block: countries(block), monitor: countries(monitor) };
        NumberRules { sms: Some(sms), ..NumberRules::default() }
    }

    fn passage(rules: &NumberRules, country: &str) -> Passage {
        rules.passage(Channel::Sms, country.parse().ok(), NumberKind::Mobile)
    }

    #[test]
    fn without_lists_every_country_is_free() {
        assert_eq!(passage(&NumberRules::default(), "US"), Passage::Free);
        assert_eq!(passage(&rules(&[], &[], &[]), ""), Passage::Free);
    }

    #[test]
    fn a_list_of_allowed_countries_bars_all_others_and_numbers_of_none() {
        let rules = rules(&["US", "GB"], &[], &["GB"]);
        assert_eq!(passage(&rules, "US"), Passage::Free);
        assert_eq!(passage(&rules, "GB"), Passage::Monitored);
        assert_eq!(passage(&rules, "DE"), Passage::Barred);
        assert_eq!(passage(&rules, ""), Passage::Barred);
    }

    #[test]
    fn a_blocked_country_is_barred_on_its_channel_alone() {
        let rules = rules(&[], &["DE"], &[]);
        assert_eq!(passage(&rules, "DE"), Passage::Barred);
        assert_eq!(rules.passage(Channel::Voice, "DE".parse().ok(), NumberKind::Mobile), Passage::Free);
    }

    #[test]
    fn numbers_that_earn_their_owners_money_are_barred_unless_somebody_says_otherwise() {
        let open = NumberRules { blocked_types: Some(Vec::new()), ..NumberRules::default() };
        for kind in NumberRules::BLOCKED_TYPES {
            assert_eq!(NumberRules::default().passage(Channel::Voice, None, kind), Passage::Barred);
            assert_eq!(open.passage(Channel::Voice, None, kind), Passage::Free);
        }
    }

    #[test]
    fn a_service_replaces_the_lists_of_a_channel_as_a_whole() {
        let wide = NumberRules { voice: Some(GeoRules::default()), ..rules(&["US"], &[], &[]) };
        let own = rules(&[], &["DE"], &[]).over(&wide);
        assert_eq!(passage(&own, "FR"), Passage::Free);
        assert_eq!(passage(&own, "DE"), Passage::Barred);
        assert_eq!(own.voice, wide.voice);
    }

    #[test]
    fn a_country_is_not_blocked_and_allowed_at_once() {
        assert_eq!(rules(&["DE"], &["DE"], &[]).check().len(), 1);
        assert_eq!(rules(&[], &["DE"], &["DE"]).check().len(), 1);
        assert!(rules(&["FR"], &["DE"], &["FR"]).check().is_empty());
    }
}
