import { expect } from 'chai';
import { compareSchemas, isCompatible } from '../../qapi/compare.js';
import { fromIntrospection, toIntrospection } from '../../qapi/introspection.js';
import { parseQapi } from '../../qapi/parse.js';
import { renderDifferences } from '../../qapi/render-differences.js';

/** Differences as `path: text (compatible)`. */
function differences(base: string, other: string): string[] {
  return compareSchemas(parseQapi(base), parseQapi(other)).map(
    ({ path, kind, text, compatible }) => `${kind} ${path}: ${text} (${compatible})`,
  );
}

const takes = (type: string): string => `{ 'command': 'c', 'data': { 'a': ${type} } }`;
const gives = (type: string): string =>
  `{ 'struct': 'R', 'data': { 'a': ${type} } } { 'command': 'c', 'returns': 'R' }`;
const enumOf = (...values: string[]): string =>
  `{ 'enum': 'E', 'data': [ ${values.map((value) => `'${value}'`).join(', ')} ] }`;

describe('qapi: comparison', () => {
  it('tells commands and events that come and go', () => {
    expect(differences(`{ 'command': 'a' } { 'event': 'E' }`, `{ 'command': 'b' } { 'event': 'F' }`)).to.deep.equal([
      'removed a: the command is gone (no)',
      'added b: the command is new (yes)',
      'removed E: the event is gone (no)',
      'added F: the event is new (yes)',
    ]);
  });

  it('looks at what was asked for only', () => {
    const base = parseQapi(`{ 'command': 'a' } { 'command': 'b' } { 'event': 'E' }`);
    const none = parseQapi('');
    const names = (only: RegExp | Set<string>) => compareSchemas(base, none, { only }).map(({ path }) => path);
    expect(names(/^[aE]$/g)).to.deep.equal(['a', 'E']);
    expect(names(new Set(['b']))).to.deep.equal(['b']);
  });

  const table: readonly (readonly [string, string, string, string[]])[] = [
    // Arguments: the other must accept what the base accepts.
    [
      'optional argument added',
      takes(`'int'`),
      `{ 'command': 'c', 'data': { 'a': 'int', '*b': 'str' } }`,
      ['added c.arguments.b: an optional member is new: str (yes)'],
    ],
    [
      'required argument added',
      takes(`'int'`),
      `{ 'command': 'c', 'data': { 'a': 'int', 'b': 'str' } }`,
      ['added c.arguments.b: a required member is new: str (no)'],
    ],
    [
      'first argument added',
      `{ 'command': 'c' }`,
      takes(`'int'`),
      ['added c.arguments.a: a required member is new: int (no)'],
    ],
    ['argument removed', takes(`'int'`), `{ 'command': 'c' }`, ['removed c.arguments.a: the member is gone (no)']],
    [
      'argument made optional',
      takes(`'int'`),
      `{ 'command': 'c', 'data': { '*a': 'int' } }`,
      ['changed c.arguments.a: was required, is optional (yes)'],
    ],
    [
      'argument made required',
      `{ 'command': 'c', 'data': { '*a': 'int' } }`,
      takes(`'int'`),
      ['changed c.arguments.a: was optional, is required (no)'],
    ],
    ['argument widened', takes(`'uint8'`), takes(`'uint32'`), ['changed c.arguments.a: was uint8, is uint32 (yes)']],
    ['argument narrowed', takes(`'int'`), takes(`'uint8'`), ['changed c.arguments.a: was int, is uint8 (attention)']],
    ['same range, other name', takes(`'uint64'`), takes(`'size'`), []],
    ['integer to number', takes(`'int'`), takes(`'number'`), ['changed c.arguments.a: was int, is number (yes)']],
    ['number to integer', takes(`'number'`), takes(`'int'`), ['changed c.arguments.a: was number, is int (no)']],
    ['argument to any', takes(`'int'`), takes(`'any'`), ['changed c.arguments.a: was int, is any (yes)']],
    ['argument to list', takes(`'int'`), takes(`[ 'int' ]`), ['changed c.arguments.a: was int, is list of int (no)']],
    ['enum to string', enumOf('x') + takes(`'E'`), takes(`'str'`), ['changed c.arguments.a: was E, is str (yes)']],
    [
      'enum value gone and new',
      enumOf('x', 'y') + takes(`'E'`),
      enumOf('x', 'z') + takes(`'E'`),
      ["removed c.arguments.a: the value 'y' is gone (no)", "added c.arguments.a: the value 'z' is new (yes)"],
    ],
    [
      'string to alternate',
      takes(`'str'`),
      `{ 'alternate': 'A', 'data': { 's': 'str', 'n': 'null' } }${takes(`'A'`)}`,
      ['added c.arguments.a: null is new (yes)'],
    ],
    [
      'alternate to string',
      `{ 'alternate': 'A', 'data': { 's': 'str', 'n': 'null' } }${takes(`'A'`)}`,
      takes(`'str'`),
      ['removed c.arguments.a: null is gone (no)'],
    ],
    // Results: the other must promise what the base promises.
    [
      'result member added',
      gives(`'int'`),
      `{ 'struct': 'R', 'data': { 'a': 'int', 'b': 'int' } } { 'command': 'c', 'returns': 'R' }`,
      ['added c.returns.b: a required member is new: int (yes)'],
    ],
    [
      'result member lost',
      gives(`'int'`),
      `{ 'struct': 'R', 'data': { } } { 'command': 'c', 'returns': 'R' }`,
      ['removed c.returns.a: the member is gone (no)'],
    ],
    [
      'optional result member lost',
      `{ 'struct': 'R', 'data': { '*a': 'int' } } { 'command': 'c', 'returns': 'R' }`,
      `{ 'command': 'c' }`,
      ['removed c.returns.a: the optional member is gone (attention)'],
    ],
    [
      'result member made optional',
      gives(`'int'`),
      `{ 'struct': 'R', 'data': { '*a': 'int' } } { 'command': 'c', 'returns': 'R' }`,
      ['changed c.returns.a: was required, is optional (no)'],
    ],
    ['result narrowed', gives(`'uint32'`), gives(`'uint8'`), ['changed c.returns.a: was uint32, is uint8 (yes)']],
    ['result widened', gives(`'uint8'`), gives(`'uint32'`), ['changed c.returns.a: was uint8, is uint32 (attention)']],
    ['result number to integer', gives(`'number'`), gives(`'int'`), ['changed c.returns.a: was number, is int (yes)']],
    [
      'result enum value new',
      enumOf('x') + gives(`'E'`),
      enumOf('x', 'y') + gives(`'E'`),
      ["added c.returns.a: the value 'y' is new (attention)"],
    ],
    [
      'result enum value gone',
      enumOf('x', 'y') + gives(`'E'`),
      enumOf('x') + gives(`'E'`),
      ["removed c.returns.a: the value 'y' is gone (yes)"],
    ],
    [
      'plain result lost',
      `{ 'command': 'c', 'returns': 'int' }`,
      `{ 'command': 'c' }`,
      ['removed c.returns: int is no longer returned (no)'],
    ],
    [
      'plain result gained',
      `{ 'command': 'c' }`,
      `{ 'command': 'c', 'returns': [ 'str' ] }`,
      ['added c.returns: list of str is now returned (attention)'],
    ],
    // The rest.
    [
      'event data',
      `{ 'event': 'E', 'data': { 'a': 'int' } }`,
      `{ 'event': 'E' }`,
      ['removed E.data.a: the member is gone (no)'],
    ],
    [
      'out-of-band taken',
      `{ 'command': 'c', 'allow-oob': true }`,
      `{ 'command': 'c' }`,
      ['changed c: out-of-band execution is no longer allowed (no)'],
    ],
    [
      'out-of-band given',
      `{ 'command': 'c' }`,
      `{ 'command': 'c', 'allow-oob': true }`,
      ['changed c: out-of-band execution is now allowed (yes)'],
    ],
    [
      'features',
      `{ 'command': 'c', 'features': [ 'x' ] }`,
      `{ 'command': 'c', 'features': [ 'deprecated' ] }`,
      ["changed c: is now marked 'deprecated' (attention)", "changed c: is no longer marked 'x' (attention)"],
    ],
    [
      'other names, other order, base or no base',
      `{ 'struct': 'B', 'data': { 'x': 'int' } } { 'struct': 'S', 'base': 'B', 'data': { 'y': 'str' } } { 'command': 'c', 'data': 'S' }`,
      `{ 'command': 'c', 'data': { 'y': 'str', 'x': 'int' } }`,
      [],
    ],
    [
      'an object without members is none',
      `{ 'struct': 'S', 'data': { } } { 'command': 'c', 'data': 'S', 'returns': 'S' }`,
      `{ 'command': 'c' }`,
      [],
    ],
  ];
  for (const [name, base, other, expected] of table)
    it(name, () => {
      expect(differences(base, other)).to.deep.equal(expected);
    });

  it('follows unions branch by branch; a branch without members is as good as none', () => {
    const union = (branches: string, extra: string) => `
      { 'enum': 'K', 'data': [ 'a', 'b', 'c' ] }
      { 'struct': 'A', 'data': { 'x': 'int'${extra} } } { 'struct': 'None', 'data': { } }
      { 'union': 'U', 'base': { 'kind': 'K' }, 'discriminator': 'kind', 'data': { ${branches} } }
      { 'command': 'c', 'data': 'U', 'boxed': true }`;
    expect(differences(union(`'a': 'A', 'b': 'None'`, ''), union(`'a': 'A'`, ''))).to.deep.equal([]);
    expect(differences(union(`'a': 'A'`, ''), union(`'a': 'A', 'c': 'A'`, `, '*y': 'str'`))).to.deep.equal([
      'added c.arguments{a}.y: an optional member is new: str (yes)',
      'added c.arguments{c}.x: a required member is new: int (no)',
      'added c.arguments{c}.y: an optional member is new: str (yes)',
    ]);
  });

  it('ends where types contain themselves', () => {
    const tree = (type: string) => `
      { 'struct': 'Node', 'data': { 'value': '${type}', '*children': [ 'Node' ] } }
      { 'command': 'c', 'data': 'Node' }`;
    expect(differences(tree('int'), tree('int'))).to.deep.equal([]);
    expect(differences(tree('int'), tree('str'))).to.deep.equal(['changed c.arguments.value: was int, is str (no)']);
  });

  it('does not take the width of integers from introspection', () => {
    const base = parseQapi(takes(`'uint8'`));
    const other = fromIntrospection(toIntrospection(parseQapi(takes(`'uint64'`))));
    expect(compareSchemas(base, other)).to.deep.equal([]);
    expect(compareSchemas(other, base)).to.deep.equal([]);
  });

  it('sums up', () => {
    const base = parseQapi(`{ 'command': 'a' } { 'command': 'b' }`);
    expect(isCompatible(compareSchemas(base, parseQapi(`{ 'command': 'a' }`)))).to.equal(false);
    expect(isCompatible(compareSchemas(parseQapi(`{ 'command': 'a' }`), base))).to.equal(true);
  });

  it('is shown with the gravest first', () => {
    const base = parseQapi(`${enumOf('x')} { 'command': 'a' } { 'command': 'b', 'returns': 'E' }`);
    const other = parseQapi(`${enumOf('x', 'y')} { 'command': 'b', 'returns': 'E' } { 'command': 'c' }`);
    // A plain enum is no object, so its values stand at the result itself.
    expect(renderDifferences(compareSchemas(base, other), 'old', 'new')).to.equal(
      [
        'What new changes for a client of old:',
        '',
        'Breaks a client (1)',
        '  - a: the command is gone',
        '',
        'Needs attention (1)',
        "  + b.returns: the value 'y' is new",
        '',
        'Harmless (1)',
        '  + c: the command is new',
        '',
      ].join('\n'),
    );
    expect(renderDifferences([], 'old', 'new')).to.equal('new does not differ from old.\n');
  });
});
