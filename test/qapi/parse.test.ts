import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { QapiError } from '../../qapi/errors.js';
import { loadQapi, parseQapi } from '../../qapi/parse.js';
import type { Definition } from '../../qapi/schema.js';
import { sample } from './sample.js';

const schema = parseQapi(sample, { file: 'sample.qapi' });

/** A definition as plain data, without its place and doc block. */
function bare(definition: Definition | undefined): unknown {
  const { location, doc, ...rest } = { ...definition } as Definition;
  return rest;
}

const ref = (name: string, list = false) => ({ name, list });
const member = (name: string, type: object, optional = false) => ({ name, type, optional, features: [] });

describe('qapi: parsing', () => {
  it('reads an enum with its values, conditions and features', () => {
    expect(bare(schema.types.get('Colour'))).to.deep.equal({
      kind: 'enum',
      name: 'Colour',
      prefix: 'COLOUR',
      values: [
        { name: 'red', features: [] },
        { name: 'blue', if: 'SKY', features: [{ name: 'unstable' }] },
        { name: '3d', features: [] },
      ],
      features: [],
    });
  });

  it('reads a struct with base, optional members, lists, conditions and features', () => {
    expect(bare(schema.types.get('Derived'))).to.deep.equal({
      kind: 'struct',
      name: 'Derived',
      base: 'Base',
      members: [
        member('count', ref('uint8')),
        member('list', ref('Base', true), true),
        {
          name: 'loud',
          type: ref('bool'),
          optional: false,
          if: 'A && !(B || C)',
          features: [{ name: 'new', if: 'N' }],
        },
      ],
      if: 'X && Y',
      features: [{ name: 'f' }],
    });
    const derived = schema.types.get('Derived');
    if (derived?.kind !== 'struct') throw new Error('not a struct');
    expect(schema.members(derived).map(({ name }) => name)).to.deep.equal(['kind', 'note', 'count', 'list', 'loud']);
  });

  it('reads flat unions with a named and with an inline base', () => {
    expect(bare(schema.types.get('Flat'))).to.deep.equal({
      kind: 'union',
      name: 'Flat',
      base: 'Base',
      members: [],
      discriminator: 'kind',
      branches: [
        { value: 'red', type: ref('Empty') },
        { value: 'blue', type: ref('Other'), if: 'SKY' },
      ],
      features: [],
    });
    expect(bare(schema.types.get('Inline'))).to.deep.include({
      members: [member('c', ref('Colour'))],
      discriminator: 'c',
    });
  });

  it('spells out a simple union: an implicit enum, and a wrapper around each branch', () => {
    expect(bare(schema.types.get('SimpleKind'))).to.deep.include({
      values: [
        { name: 'number', features: [] },
        { name: 'texts', features: [] },
      ],
    });
    expect(bare(schema.types.get('Simple'))).to.deep.include({
      members: [member('type', ref('SimpleKind'))],
      discriminator: 'type',
      branches: [
        { value: 'number', type: ref('q_obj_int-wrapper') },
        { value: 'texts', type: ref('q_obj_strList-wrapper') },
      ],
    });
    expect(schema.membersOf('q_obj_strList-wrapper')).to.deep.equal([member('data', ref('str', true))]);
  });

  it('reads an alternate', () => {
    expect(bare(schema.types.get('Either'))).to.deep.include({
      kind: 'alternate',
      branches: [
        { name: 'a', type: ref('str') },
        { name: 'b', type: ref('Base') },
        { name: 'c', type: ref('int', true) },
        { name: 'd', type: ref('null') },
      ],
    });
  });

  it('reads commands: inline, boxed and named arguments, flags and results', () => {
    expect(bare(schema.commands.get('args'))).to.deep.equal({
      kind: 'command',
      name: 'args',
      arguments: 'q_obj_args-arg',
      returns: ref('Flat', true),
      boxed: false,
      gen: false,
      successResponse: false,
      allowOob: true,
      allowPreconfig: true,
      features: [],
    });
    expect(schema.membersOf('q_obj_args-arg')).to.deep.equal([
      member('a', ref('int')),
      member('b', ref('Either'), true),
    ]);
    expect(bare(schema.commands.get('boxed'))).to.deep.include({ boxed: true, arguments: 'Flat' });
    expect(bare(schema.commands.get('by-name'))).to.deep.include({ if: 'Z', features: [{ name: 'deprecated' }] });
    expect(schema.commands.get('plain')).to.not.have.property('arguments');
  });

  it('reads events with and without data', () => {
    expect(schema.events.get('SILENT')).to.not.have.property('data');
    expect(schema.events.get('LOUD')).to.include({ data: 'q_obj_LOUD-arg', boxed: false });
    expect(schema.events.get('BOXED')).to.include({ data: 'Derived', boxed: true });
  });

  it('keeps the place of every written definition', () => {
    expect(schema.types.get('Base')?.location).to.deep.include({ file: 'sample.qapi', line: 26, column: 13 });
  });

  it('keeps the order of definition', () => {
    expect([...schema.commands.keys()]).to.deep.equal(['plain', 'args', 'boxed', 'by-name']);
  });

  it('understands escapes in strings', () => {
    const { types } = parseQapi(`{ 'enum': '\\u0041b', 'data': [ 'x\\u002dy' ] }`);
    expect(bare(types.get('Ab'))).to.deep.include({ values: [{ name: 'x-y', features: [] }] });
  });

  it('accepts an empty text and one of comments only', () => {
    expect(parseQapi('').types.size).to.equal(0);
    expect(parseQapi('# nothing').types.size).to.equal(0);
  });

  it('accepts carriage returns', () => {
    const text = sample.replaceAll('\n', '\r\n');
    expect([...parseQapi(text).types.keys()]).to.deep.equal([...schema.types.keys()]);
  });
});

describe('qapi: includes', () => {
  const files: Readonly<Record<string, string>> = {
    'dir/a.qapi': `{ 'include': 'sub/b.qapi' } { 'struct': 'A', 'data': { 'b': 'B' } }`,
    'dir/sub/b.qapi': `{ 'include': '../c.qapi' } { 'struct': 'B', 'data': { 'c': 'C' } }`,
    'dir/c.qapi': `{ 'struct': 'C', 'data': { } }`,
    'dir/loop.qapi': `{ 'include': 'loop2.qapi' }`,
    'dir/loop2.qapi': `{ 'include': './loop.qapi' }`,
    'dir/bad.qapi': `\n{ 'struct': 'Bad' }`,
  };
  const reads: string[] = [];
  const include = (path: string): string => {
    reads.push(path);
    const text = files[path];
    if (text === undefined) throw new Error('no such file');
    return text;
  };
  const parse = (text: string) => parseQapi(text, { file: 'dir/main.qapi', include });

  it('resolves paths against the including file and reads each file once', () => {
    reads.length = 0;
    const { types } = parse(`{ 'include': 'a.qapi' } { 'include': 'c.qapi' } { 'include': 'sub/../c.qapi' }`);
    expect([...types.keys()]).to.deep.equal(['C', 'B', 'A']);
    expect(reads).to.deep.equal(['dir/a.qapi', 'dir/sub/b.qapi', 'dir/c.qapi']);
  });

  it('reports a circle with all its files', () => {
    expect(() => parse(`{ 'include': 'loop.qapi' }`)).to.throw(
      QapiError,
      'dir/loop2.qapi:1:14: files include each other in a circle: ' +
        'dir/main.qapi -> dir/loop.qapi -> dir/loop2.qapi -> dir/loop.qapi',
    );
    expect(() => parse(`{ 'include': 'main.qapi' }`)).to.throw(QapiError, 'dir/main.qapi -> dir/main.qapi');
  });

  it('reports a file that cannot be read, at the include', () => {
    expect(() => parse(`{ 'include': 'nope.qapi' }`)).to.throw(
      QapiError,
      "dir/main.qapi:1:14: cannot include 'dir/nope.qapi': no such file",
    );
    expect(() => parseQapi(`{ 'include': 'a' }`)).to.throw(QapiError, 'no way to read other files');
  });

  it('names the included file in errors of its text', () => {
    expect(() => parse(`{ 'include': 'bad.qapi' }`)).to.throw(QapiError, 'dir/bad.qapi:2:1: ');
  });

  it('loads files from disk', () => {
    const folder = mkdtempSync(join(tmpdir(), 'qapi-'));
    try {
      writeFileSync(join(folder, 'main.qapi'), `{ 'include': 'other.qapi' } { 'event': 'E', 'data': 'T' }`);
      writeFileSync(join(folder, 'other.qapi'), `{ 'struct': 'T', 'data': { } }`);
      expect(loadQapi(join(folder, 'main.qapi')).events.get('E')).to.include({ data: 'T' });
      expect(() => loadQapi(join(folder, 'absent.qapi'))).to.throw(/ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('qapi: doc blocks', () => {
  it('splits text, members and sections', () => {
    const { doc } = schema.types.get('Colour')!;
    expect(doc).to.include({ text: 'What light does.' });
    expect(doc?.members).to.deep.equal({ red: 'like a tomato,\na ripe one', blue: 'like the sky' });
    expect(doc?.sections).to.deep.equal([{ name: 'Since', text: '1.0' }]);
  });

  it('keeps features, notes and examples', () => {
    const text = [
      '##',
      '# @c:',
      '#',
      '# Does it.',
      '#   @indented: is text',
      '#',
      '# @a: first',
      '#',
      '# Features:',
      '# @f: odd',
      '#',
      '# Returns: nothing',
      '#     at all',
      '#',
      '# Notes:',
      '#',
      '# Careful.',
      '#',
      '# Example:',
      '#',
      '# -> { "execute": "c" }',
      '#      indented',
      '##',
      "{ 'command': 'c', 'data': { 'a': 'int' }, 'features': [ 'f' ] }",
    ].join('\n');
    const { doc } = parseQapi(text).commands.get('c')!;
    expect(JSON.parse(JSON.stringify(doc))).to.deep.equal({
      text: 'Does it.\n  @indented: is text',
      members: { a: 'first' },
      sections: [
        { name: 'Returns', text: 'nothing\nat all' },
        { name: 'Note', text: 'Careful.' },
        { name: 'Example', text: '-> { "execute": "c" }\n     indented' },
        { name: 'Features', text: '@f: odd' },
      ],
    });
  });
});
