/** Doc blocks: what they document, and their split into text, members and sections. */
import { type DocToken, docLines } from './lexer.js';
import type { Doc } from './schema.js';
import { fail, type Position, type Source } from './source.js';

/**
 * A doc block that belongs to the definition of that name. It is split when somebody looks at it: most schemas are loaded
 * to check messages, and never are.
 */
export class DocBlock implements Doc {
  #parts: Parts | undefined;

  constructor(
    readonly name: string,
    readonly at: Position,
    private readonly token: DocToken,
  ) {}

  get text(): string {
    return this.parts.text;
  }

  get members(): Readonly<Record<string, string>> {
    return this.parts.members;
  }

  get sections(): Doc['sections'] {
    return this.parts.sections;
  }

  /** Everything in the block. Throws QapiError if it describes something twice. */
  get parts(): Parts {
    this.#parts ??= split(this.token, this.at);
    return this.#parts;
  }

  toJSON(): Doc {
    const { text, members, sections } = this.parts;
    return { text, members, sections };
  }
}

interface Parts extends Doc {
  /** Names of the `@feature:` paragraphs under `Features:`. */
  readonly featureNames: readonly string[];
}

const symbolLine = /^@([A-Za-z0-9_.-]+):$/;
const argumentLine = /^@([A-Za-z0-9_.-]+):(?:\s+(.*))?$/;
const sectionLine = /^(Returns|Errors|Since|Notes?|Examples?|TODO):(?:\s+(.*))?$/;
const memberHeading = /^(Members|Arguments|Values):$/;

/** Spelling variants of section names that mean the same. */
const sectionNames: Readonly<Record<string, string>> = { Notes: 'Note', Examples: 'Example' };

const firstLine = /^(?:[ \t]*#[ \t\r]*\n)*[ \t]*#[ \t]*(\S[^\n]*?)[ \t\r]*\n/;

/** The doc block of a definition. Undefined for one that introduces none, such as a chapter heading. */
export function parseDoc(source: Source, token: DocToken): DocBlock | undefined {
  const first = firstLine.exec(token.text)?.[1];
  if (first === undefined) return undefined;
  const at = { source, offset: token.offset };
  const name = symbolLine.exec(first)?.[1];
  if (name !== undefined) return new DocBlock(name, at, token);
  const near = argumentLine.exec(first);
  if (near) fail(at, `a doc block starts with a line '@${near[1]}:' and nothing else on it`);
  return undefined;
}

function split(token: DocToken, at: Position): Parts {
  const all = docLines(token);
  const lines = all.slice(all.findIndex((line) => line.trim() !== '') + 1);
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
