//! Which form of a noun goes with a whole number, by the plural rules of Unicode CLDR.

use serde::Deserialize;

/// Languages that count alike, named for the one that is known best for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Plurals {
    /// One form for every number.
    Same,
    /// 1; the rest.
    One,
    /// What ends in 1 but not in 11; the rest.
    LastOne,
    /// What ends in 1 but not in 11; in 2 to 4 but not in 12 to 14; the rest.
    Slavic,
    /// 1; what ends in 2 to 4 but not in 12 to 14; the rest.
    Polish,
    /// 1; 2 to 4; the rest.
    Czech,
    /// What ends in 01; in 02; in 03 or 04; the rest.
    Slovene,
    /// What ends in 1 but not in 11; in 2 to 9 but not in 12 to 19; the rest.
    Lithuanian,
    /// 1; 0 and what ends in 02 to 19; the rest.
    Romanian,
    /// 1; 2; what ends in 03 to 10; in 11 to 99; the rest.
    Arabic,
    /// 1; 2; the rest.
    Hebrew,
}

/// A form that a rule tells apart; its name in locale files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    One,
    Two,
    Few,
    Many,
    Other,
}

impl Plurals {
    /// The form for `n`.
    pub(super) const fn form(self, n: u32) -> Form {
        let (last, last_two) = (n % 10, n % 100);
        let ends_in_one = last == 1 && last_two != 11;
        let ends_in_few = matches!(last, 2..=4) && !matches!(last_two, 12..=14);
        match self {
            Self::One | Self::Polish | Self::Czech | Self::Romanian | Self::Arabic | Self::Hebrew if n == 1 => Form::One,
            Self::LastOne | Self::Slavic | Self::Lithuanian if ends_in_one => Form::One,
            Self::Slavic | Self::Polish if ends_in_few => Form::Few,
            Self::Czech if matches!(n, 2..=4) => Form::Few,
            Self::Slovene => match last_two {
                1 => Form::One,
                2 => Form::Two,
                3 | 4 => Form::Few,
                _ => Form::Other,
            },
            Self::Lithuanian if matches!(last, 2..=9) && !matches!(last_two, 12..=19) => Form::Few,
            Self::Romanian if n == 0 || matches!(last_two, 1..=19) => Form::Few,
            Self::Arabic | Self::Hebrew if n == 2 => Form::Two,
            Self::Arabic if matches!(last_two, 3..=10) => Form::Few,
            Self::Arabic if matches!(last_two, 11..=99) => Form::Many,
            _ => Form::Other,
        }
    }
}

/// "10 minutes" in every form that the language has; `{n}` is the number, which a form for one number alone may leave out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forms {
    one: Option<String>,
    two: Option<String>,
    few: Option<String>,
    many: Option<String>,
    other: String,
}

impl Forms {
    /// The words for `n`.
    pub(super) fn say(&self, rule: Plurals, n: u32) -> String {
        self.get(rule.form(n)).unwrap_or(&self.other).replace("{n}", &n.to_string())
    }

    fn get(&self, form: Form) -> Option<&str> {
        match form {
            Form::One => self.one.as_deref(),
            Form::Two => self.two.as_deref(),
            Form::Few => self.few.as_deref(),
            Form::Many => self.many.as_deref(),
            Form::Other => Some(&self.other),
        }
    }

    /// Whether it has the forms that `rule` tells apart, and none beside.
    #[cfg(test)]
    pub(super) fn fit(&self, rule: Plurals) -> bool {
        let used: Vec<Form> = (0..=200).map(|n| rule.form(n)).collect();
        let all = [Form::One, Form::Two, Form::Few, Form::Many, Form::Other];
        all.into_iter().all(|form| used.contains(&form) == self.get(form).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(rule: Plurals, numbers: &[u32]) -> Vec<Form> {
        numbers.iter().map(|n| rule.form(*n)).collect()
    }

    #[test]
    fn numbers_take_the_forms_of_the_plural_rules() {
        use Form::{Few, Many, One, Other, Two};
        assert_eq!(forms(Plurals::Same, &[0, 1, 2, 10]), [Other, Other, Other, Other]);
        assert_eq!(forms(Plurals::One, &[1, 2, 11, 21]), [One, Other, Other, Other]);
        assert_eq!(forms(Plurals::LastOne, &[1, 5, 11, 21, 111]), [One, Other, Other, One, Other]);
        assert_eq!(
            forms(Plurals::Slavic, &[1, 2, 5, 11, 12, 14, 21, 22, 25]),
            [One, Few, Other, Other, Other, Other, One, Few, Other]
        );
        assert_eq!(forms(Plurals::Polish, &[1, 2, 5, 12, 21, 22]), [One, Few, Other, Other, Other, Few]);
        assert_eq!(forms(Plurals::Czech, &[1, 4, 5, 21, 22]), [One, Few, Other, Other, Other]);
        assert_eq!(forms(Plurals::Slovene, &[1, 2, 3, 4, 5, 101, 102, 11]), [One, Two, Few, Few, Other, One, Two, Other]);
        assert_eq!(forms(Plurals::Lithuanian, &[1, 9, 10, 11, 19, 21, 22]), [One, Few, Other, Other, Other, One, Few]);
        assert_eq!(forms(Plurals::Romanian, &[1, 2, 19, 20, 100, 101, 120]), [One, Few, Few, Other, Other, Few, Other]);
        assert_eq!(forms(Plurals::Arabic, &[1, 2, 3, 10, 11, 99, 100, 103]), [One, Two, Few, Few, Many, Many, Other, Few]);
        assert_eq!(forms(Plurals::Hebrew, &[1, 2, 3, 20]), [One, Two, Other, Other]);
    }
}
