/** Multi-line output of a pretty-printing monitor (QMP-TRANS-12). */
import { isObject, type JsonValue, stringifyJson } from '../../protocol/json.js';

/** The text that a pretty monitor writes for `value`, given ASCII strings and no fractions, members as they stand. */
export function prettyText(value: JsonValue, depth = 0): string {
  const inner = '    '.repeat(depth + 1);
  const block = (open: string, lines: readonly string[], close: string) =>
    [
      open,
      ...lines.map((line, i) => `${inner}${line}${i < lines.length - 1 ? ',' : ''}`),
      '    '.repeat(depth) + close,
    ].join('\r\n');
  if (Array.isArray(value)) {
    const elements = value.map((element: JsonValue) => prettyText(element, depth + 1));
    return block('[', elements, ']');
  }
  if (!isObject(value)) return stringifyJson(value);
  const members = Object.entries(value).map(([name, one]) => `${stringifyJson(name)}: ${prettyText(one, depth + 1)}`);
  return block('{', members, '}');
}
