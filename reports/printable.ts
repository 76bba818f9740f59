/** Text from a target, made harmless for terminals, YAML, XML and Markdown. */

/** C0 and C1 controls, line and paragraph separators, and what reverses the direction of text on a screen. */
const dangerous = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line in which every character is visible: a monitor must not be able to steer the reader's terminal. */
export function printable(text: string): string {
  return wellFormed(text).replace(dangerous, (char) => {
    const code = char.charCodeAt(0);
    return named[char] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

const hex = (code: number, width: number) => code.toString(16).padStart(width, '0');

/** Half a surrogate pair cannot be written as UTF-8: it becomes U+FFFD. */
const wellFormed = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

/** At most `length` characters; what was cut is counted. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${wellFormed(text.slice(0, length))}… (${text.length} characters)`;
}

/** `1 requirement`, `2 requirements`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Milliseconds as seconds, for people. */
export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
