/** Doubles as text the way C prints them, which is exact; `toFixed` and `toPrecision` round ties the other way. */

const bits = new DataView(new ArrayBuffer(8));

/** |value| as mantissa * 2^exponent, both integers. */
function decompose(value: number): { mantissa: bigint; exponent: number } {
  bits.setFloat64(0, Math.abs(value));
  const raw = bits.getBigUint64(0);
  const biased = Number(raw >> 52n);
  const fraction = raw & (2n ** 52n - 1n);
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (2n ** 52n), exponent: biased - 1075 };
}

/** |value| * 10^decimals, rounded to the nearest integer, ties to even. `decimals` may be negative. */
function scaled(value: number, decimals: number): bigint {
  const { mantissa, exponent } = decompose(value);
  let numerator = mantissa;
  let denominator = 1n;
  if (exponent >= 0) numerator <<= BigInt(exponent);
  else denominator <<= BigInt(-exponent);
  if (decimals >= 0) numerator *= 10n ** BigInt(decimals);
  else denominator *= 10n ** BigInt(-decimals);
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

const sign = (value: number) => (value < 0 || Object.is(value, -0) ? '-' : '');
const trim = (digits: string) => (digits.includes('.') ? digits.replace(/\.?0*$/, '') : digits);

/** C's `%f` without trailing zeros (QMP-OUT-05). */
function fixed(value: number): string {
  const digits = scaled(value, 6).toString().padStart(7, '0');
  return sign(value) + trim(`${digits.slice(0, -6)}.${digits.slice(-6)}`);
}

/** C's `%.17g` (QMP-D-30). */
function general(value: number): string {
  if (value === 0) return `${sign(value)}0`;
  // With 21 digits no double is close enough to a power of ten to be rounded up to it.
  let exponent = Number(value.toExponential(20).split('e')[1]);
  let digits = scaled(value, 16 - exponent).toString();
  if (digits.length > 17) {
    exponent++;
    digits = digits.slice(0, 17);
  }
  if (exponent < -4 || exponent >= 17) {
    const shown = `${Math.abs(exponent)}`.padStart(2, '0');
    return `${sign(value)}${trim(`${digits[0]}.${digits.slice(1)}`)}e${exponent < 0 ? '-' : '+'}${shown}`;
  }
  if (exponent < 0) return `${sign(value)}${trim(`0.${'0'.repeat(-exponent - 1)}${digits}`)}`;
  return `${sign(value)}${trim(`${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`)}`;
}

/** A double in the dialect's format; `inf` and `-inf` for overflown ones, though that is not JSON (QMP-OUT-06). */
export function formatDouble(value: number, format: '%f' | '%.17g'): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  return format === '%f' ? fixed(value) : general(value);
}
