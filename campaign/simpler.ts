/** Simpler steps to put in the place of one, the simplest first. Only what a reader would call simpler. */
import { isObject, parseJson } from '../protocol/json.js';
import type { Step } from '../targets/scenario.js';

/** Each entry is a replacement; several steps only where one bundle is taken apart. */
export function simplerSteps(step: Step): readonly (readonly Step[])[] {
  switch (step.do) {
    case 'start': {
      const options = Object.entries(step.options ?? {});
      const fewer = options.map((_, i) => Object.fromEntries(options.filter((__, j) => j !== i)));
      return fewer.map((one) => [
        { do: 'start', at: step.at, ...(Object.keys(one).length === 0 ? {} : { options: one }) },
      ]);
    }
    case 'command': {
      const plain = { ...step };
      delete (plain as { post?: boolean }).post;
      const flags = step.post ? [[plain]] : [];
      return [...flags, ...simplerValues(step.arguments, true).map((value) => [withArguments(step, value)])];
    }
    case 'pipeline': {
      const { at, commands } = step;
      if (commands.length === 1) {
        const [one] = commands;
        return one === undefined ? [] : [[{ do: 'command', at, ...one }]];
      }
      const halves = [commands.slice(0, commands.length >> 1), commands.slice(commands.length >> 1)];
      const singles = commands.length > 12 ? [] : commands.map((_, i) => commands.filter((__, j) => j !== i));
      const inner = commands.flatMap((command, i) =>
        simplerValues(command.arguments, true).map((value) =>
          commands.map((one, j) => (j === i ? withArguments(one, value) : one)),
        ),
      );
      return [...halves, ...singles, ...inner].map((list) => [{ ...step, commands: list }]);
    }
    case 'raw':
      return [
        ...asCommand(step),
        ...fewerLines(step.bytes).map((bytes) => [{ do: 'raw' as const, at: step.at, bytes }]),
        ...(step.every === undefined ? [] : [[{ do: 'raw' as const, at: step.at, bytes: step.bytes }]]),
        ...shorterTexts(step.bytes).map((bytes) => [{ ...step, bytes }]),
      ];
    case 'peer':
      return step.bytes !== undefined && step.bytes > 1 ? [[{ ...step, bytes: 1 }]] : [];
    case 'feed': {
      const { parts } = step;
      const fewer = parts.length < 2 ? [] : parts.map((_, i) => [{ ...step, parts: parts.filter((__, j) => j !== i) }]);
      const { every: _, ...atOnce } = step;
      return [...(step.every === undefined ? [] : [[atOnce]]), ...fewer];
    }
    case 'connect': {
      const { before, enable, ...plain } = step;
      const fewer = (before ?? []).map((_, i) => (before ?? []).filter((__, j) => j !== i));
      return [
        ...(before === undefined && enable === undefined ? [] : [[plain]]),
        ...fewer.filter((list) => list.length > 0).map((list) => [{ ...step, before: list }]),
      ];
    }
    default:
      return [];
  }
}

/** A line that says no more than a command does, as that. */
function asCommand({ at, bytes }: Extract<Step, { do: 'raw' }>): readonly (readonly Step[])[] {
  if (!/^\{"execute":"[a-z0-9_-]+".*\}\n?$/.test(bytes)) return [];
  try {
    const value = parseJson(bytes);
    // Integers beyond those of a double would not be the same in a step.
    if (
      /\d{16}/.test(bytes) ||
      !isObject(value) ||
      Object.keys(value).some((name) => !/^(execute|arguments|id)$/.test(name))
    )
      return [];
    const { execute, arguments: args } = value;
    return [[{ do: 'command', at, execute: String(execute), ...(args === undefined ? {} : { arguments: args }) }]];
  } catch {
    return [];
  }
}

/** Of several messages in one write the first half, the second, and all but one. */
function fewerLines(bytes: string): string[] {
  const lines = bytes.split(/(?<=\n)/);
  if (lines.length < 2) return [];
  const halves = [lines.slice(0, lines.length >> 1), lines.slice(lines.length >> 1)];
  const fewer = lines.length === 2 ? [] : lines.map((_, i) => lines.filter((__, j) => j !== i));
  return [...halves, ...fewer].map((some) => some.join(''));
}

function withArguments<T extends { readonly arguments?: unknown }>(command: T, value: unknown): T {
  const { arguments: _, ...rest } = command;
  return (value === undefined ? rest : { ...rest, arguments: value }) as T;
}

/** Without members and entries, one at a time; outermost values may go altogether. */
function simplerValues(value: unknown, outermost = false): unknown[] {
  if (Array.isArray(value)) {
    const fewer = value.length > 8 ? [] : value.map((_, i) => value.filter((__, j) => j !== i));
    const half = value.length > 2 ? [value.slice(0, value.length >> 1), value.slice(value.length >> 1)] : [];
    const inner =
      value.length > 8
        ? []
        : value.flatMap((one, i) =>
            simplerValues(one).map((simple) => value.map((other, j) => (j === i ? simple : other))),
          );
    return [...half, ...fewer, ...inner];
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    const fewer = entries.map((_, i) => Object.fromEntries(entries.filter((__, j) => j !== i)));
    const inner = entries.flatMap(([name, one], i) =>
      simplerValues(one).map((simple) =>
        Object.fromEntries(entries.map((entry, j) => (j === i ? [name, simple] : entry))),
      ),
    );
    return [...(outermost ? [undefined] : []), ...fewer, ...inner];
  }
  if (typeof value === 'string' && value.length > 24 && !value.includes('{')) return shorterTexts(value);
  return [];
}

const shorterTexts = (text: string): string[] =>
  text.length < 2
    ? []
    : [text.slice(0, text.length >> 1), text.slice(text.length >> 1), text.slice(0, -1), text.slice(1)];
