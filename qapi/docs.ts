/** Doc blocks: what they document, and their split into text, members and sections. */
import type { DocToken } from './lexer.js';
import type { Doc } from './schema.js';
import { fail, type Position, type Source } from './source.js';

/** A doc block that belongs to the definition of that name. */
export interface DocBlock extends Doc {
  readonly name: string;
  /** Names of the `@feature:` paragraphs under `Features:`. */
  readonly featureNames: readonly string[];
  readonly at: Position;
}

const symbolLine = /^@([A-Za-z0-9_.-]+):$/;
const argumentLine = /^\s*@([A-Za-z0-9_.-]+):(?:\s+(.*))?$/;
const sectionLine = /^(Returns|Errors|Since|Notes?|Examples?|TODO):(?:\s+(.*))?$/;
const memberHeading = /^(Members|Arguments|Values):$/;

/** Spelling variants of section names that mean the same. */
const sectionNames: Readonly<Record<string, string>> = { Notes: 'Note', Examples: 'Example' };

/** Splits a doc block. Undefined for one that introduces no definition, such as a chapter heading. */
export function parseDoc(source: Source, token: DocToken): DocBlock | undefined {
  const at = { source, offset: token.offset };
  const first = token.lines.findIndex((line) => line.trim() !== '');
  if (first === -1) return undefined;
  const name = symbolLine.exec(token.lines[first]!.trim())?.[1];
  if (name === undefined) {
    const near = argumentLine.exec(token.lines[first]!);
    if (near) fail(at, `a doc block starts with a line '@${near[1]}:' and nothing else on it`);
    return undefined;
  }
  return { name, at, ...split(token.lines.slice(first + 1), at) };
}

function split(lines: readonly string[], at: Position): Doc & { featureNames: string[] } {
  const text: string[] = [];
  const members = new Map<string, string[]>();
  const features = new Map<string, string[]>();
  const sections: { name: string; lines: string[] }[] = [];
  let current = text;
  let inFeatures = false;
  for (const line of lines) {
    const argument = argumentLine.exec(line);
    const section = sectionLine.exec(line);
    if (argument) {
      const paragraphs = inFeatures ? features : members;
      const name = argument[1]!;
      if (paragraphs.has(name)) fail(at, `the doc block describes '@${name}' twice`);
      current = [argument[2] ?? ''];
      paragraphs.set(name, current);
    } else if (line.trim() === 'Features:') {
      inFeatures = true;
      current = [];
    } else if (memberHeading.test(line.trim())) {
      inFeatures = false;
      current = [];
    } else if (section) {
      current = [section[2] ?? ''];
      sections.push({ name: sectionNames[section[1]!] ?? section[1]!, lines: current });
    } else {
      current.push(line);
    }
  }
  if (features.size > 0) {
    const paragraphs = [...features].map(([name, own]) => `@${name}: ${join(own)}`.trim());
    sections.push({ name: 'Features', lines: paragraphs });
  }
  return {
    text: join(text),
    members: Object.fromEntries([...members].map(([name, own]) => [name, join(own)])),
    sections: sections.map((section) => ({ name: section.name, text: join(section.lines) })),
    featureNames: [...features.keys()],
  };
}

/** Lines as one text: common indentation and blank lines around it are gone, the shape within is kept. */
function join(lines: readonly string[]): string {
  const rest = lines.slice(1).filter((line) => line.trim() !== '');
  const indent = Math.min(...rest.map((line) => line.length - line.trimStart().length));
  return lines
    .map((line, index) => (index === 0 ? line.trim() : line.slice(Number.isFinite(indent) ? indent : 0).trimEnd()))
    .join('\n')
    .replace(/^\n+|\n+$/g, '');
}
