/**
 * Command templates: `mymonitor --listen {qmp} [--incoming {incoming}]`. Words are separated by blanks and may be quoted;
 * no shell is involved. A bracketed part (outside quotes) is left out when a placeholder in it has no value.
 */
import { closest } from 'fastest-levenshtein';
import { TargetError } from './target.js';

/** Placeholders, and what each stands for. */
export const placeholders = {
  qmp: 'address of the monitor, for example unix:/…/qmp.sock',
  'qmp-path': 'path of the monitor’s unix socket',
  incoming: 'URI to wait on for a migration, or defer; no value for an ordinary start',
  scratch: 'folder for files of this instance',
  memory: 'guest RAM in MiB',
  'ram-image': 'file to load into guest RAM at address 0; mostly without a value',
  arguments: 'a word of its own: everything that QEMU would be started with, in place of all others',
  paused: 'the word paused when the guest must not run at the start; else without a value',
} as const;
// Wider than the names that exist, so that {QMP} and {ram_image} are told of and not passed on.
const placeholder = /\{([A-Za-z_-]+)\}/g;

/** A command template that can start nothing: exit code 2. */
export class TemplateError extends TargetError {
  override readonly name = 'TemplateError';
}

export type Placeholder = keyof typeof placeholders;

/** @throws TemplateError on an unknown placeholder, an unclosed bracket or quote, a value missing outside brackets. */
export function expandTemplate(template: string, values: Partial<Record<Placeholder, string>>): string[] {
  const words: string[] = [];
  for (const part of optionalParts(template)) {
    const names = [...part.text.matchAll(placeholder)].map((match) => match[1] as string);
    for (const name of names) {
      if (!Object.hasOwn(placeholders, name)) {
        const known = Object.keys(placeholders);
        throw new TemplateError(
          `the template has the unknown placeholder {${name}}; did you mean {${closest(name, known)}}? Known: ${known.join(', ')}`,
        );
      }
    }
    const missing = names.find((name) => values[name as Placeholder] === undefined);
    if (missing !== undefined) {
      if (part.optional) continue;
      throw new TemplateError(
        `{${missing}} has no value for this start: put it into brackets, as in [--${missing} {${missing}}]`,
      );
    }
    for (const word of splitWords(part.text)) {
      words.push(word.replace(placeholder, (_, name: Placeholder) => values[name] as string));
    }
  }
  if (words.length === 0) throw new TemplateError('the command template is empty');
  return words;
}

function optionalParts(template: string): { text: string; optional: boolean }[] {
  const parts: { text: string; optional: boolean }[] = [];
  // Brackets inside quotes are ordinary characters: blanked out, so that positions stay the same.
  const bare = template.replace(/'[^']*'|"(?:[^"\\]|\\.)*"|\\./g, (quoted) => 'x'.repeat(quoted.length));
  let from = 0;
  for (;;) {
    // Brackets open an optional part only at the beginning of a word: tcp:[::1]:4444 is left alone.
    const open = /(^|\s)\[/.exec(bare.slice(from));
    if (open === null) break;
    const before = from + open.index;
    const start = before + open[0].length;
    const end = /\](\s|$)/.exec(bare.slice(start));
    if (end === null) throw new TemplateError(`the template has a '[' without its ']': ${template}`);
    parts.push({ text: template.slice(from, before), optional: false });
    parts.push({ text: template.slice(start, start + end.index), optional: true });
    from = start + end.index + 1;
  }
  parts.push({ text: template.slice(from), optional: false });
  return parts;
}

/** Splits as a shell would, with single and double quotes and backslashes, and nothing else of a shell. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let begun = false;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"' && i + 1 < text.length) word += text[++i];
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      begun = true;
    } else if (char === '\\' && i + 1 < text.length) {
      word += text[++i];
      begun = true;
    } else if (/\s/.test(char)) {
      if (begun) words.push(word);
      word = '';
      begun = false;
    } else {
      word += char;
      begun = true;
    }
  }
  if (quote !== '') throw new TemplateError(`the template has a ${quote} without its partner: ${text}`);
  if (begun) words.push(word);
  return words;
}
