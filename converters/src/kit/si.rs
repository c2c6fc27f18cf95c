//! SI prefixes as powers of ten.

/// Prefixes from the smallest up, each a thousand times the one before.
const SYMBOLS: &[(i32, &str)] = &[
    (-15, "f"),
    (-12, "p"),
    (-9, "n"),
    (-6, "µ"),
    (-3, "m"),
    (0, ""),
    (3, "k"),
    (6, "M"),
    (9, "G"),
    (12, "T"),
    (15, "P"),
];

/// What a prefix stands for, as a power of ten; letter case tells milli from mega, and pico from peta.
pub(crate) fn exponent(symbol: &str) -> Option<i32> {
    match symbol {
        "u" | "U" | "μ" => Some(-6),
        "K" => Some(3),
        _ => SYMBOLS.iter().find(|(_, known)| *known == symbol).map(|(exponent, _)| *exponent),
    }
}

/// The prefix for a power of ten; nothing for one that has none.
pub(crate) fn symbol(exponent: i32) -> &'static str {
    SYMBOLS.iter().find(|(known, _)| *known == exponent).map_or("", |(_, symbol)| symbol)
}

/// The prefix that suits a number, as a power of ten: the nearest multiple of three.
pub(crate) fn suitable(number: f64) -> i32 {
    if number == 0.0 || !number.is_finite() {
        return 0;
    }
    let written = format!("{number:e}");
    let exponent: i32 = written.rsplit('e').next().and_then(|digits| digits.parse().ok()).unwrap_or_default();
    ((exponent + 1).div_euclid(3) * 3).clamp(-15, 15)
}

/// A number in units of `10^from`, given in units of `10^to`.
pub(crate) fn rescale(number: f64, from: i32, to: i32) -> f64 {
    match from - to {
        0 => number,
        more @ 1.. => number * 10_f64.powi(more),
        // Dividing keeps 11000 n exactly 11 u.
        less => number / 10_f64.powi(-less),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_powers_belong_together() {
        for (symbol_, power) in [("k", 3), ("K", 3), ("m", -3), ("M", 6), ("u", -6), ("µ", -6), ("", 0)] {
            assert_eq!(exponent(symbol_), Some(power), "{symbol_}");
        }
        assert_eq!((exponent("x"), symbol(-6), symbol(4)), (None, "µ", ""));
        assert_eq!(rescale(11_000.0, -9, -6), 11.0);
        assert_eq!(rescale(4.7, 3, 0), 4700.0);
    }

    #[test]
    fn a_number_has_the_nearest_prefix() {
        for (number, power) in [
            (47.0, 0),
            (470.0, 3),
            (-950.0, 3),
            (47_000.0, 3),
            (0.5, 0),
            (0.047, -3),
            (9e-8, -9),
            (0.0, 0),
            (f64::INFINITY, 0),
            (1e300, 15),
            (1e-300, -15),
        ] {
            assert_eq!(suitable(number), power, "{number}");
        }
    }
}
