import { expect } from 'chai';
import { brief, connected, run } from './harness.js';

const expecting = "CommandNotFound: Expecting capabilities negotiation with 'qmp_capabilities'";

for (const dialect of ['3.0', '7.2', '10.0'] as const) {
  const strict = dialect !== '3.0';
  describe(`Negotiation and envelope, dialect ${dialect}`, () => {
    const args = ['--dialect', dialect];

    it('QMP-GREET-01..04: greets with version and capabilities', async () => {
      const { client, stop } = await run({ args });
      const [greeting] = (await client().received()) as [{ QMP: { version: object; capabilities: string[] } }];
      expect(greeting.QMP).to.have.keys('version', 'capabilities');
      expect(greeting.QMP.capabilities).to.deep.equal(strict ? ['oob'] : []);
      await stop();
    });

    it('QMP-NEG-01..14: refuses everything else until it succeeds, and a second time', async () => {
      const { client, stop } = await run({ args });
      const c = client();
      await c.received();
      const replies = await c.send(
        [
          '{"execute":"query-name","id":7}{"execute":"nosuch"}{"execute":"QMP_CAPABILITIES"}{}[]',
          '{"execute":"query-name","foo":1}{"exec-oob":"qmp_capabilities"}',
          '{"execute":"qmp_capabilities","arguments":{"enable":null}}',
          '{"execute":"qmp_capabilities","arguments":{"enable":[5]}}',
          '{"execute":"qmp_capabilities","arguments":{"enable":["oob","foo"]}}',
          '{"execute":"qmp_capabilities","arguments":{"bar":1}}',
          '{"execute":"query-name"}{"execute":"qmp_capabilities"}{"execute":"query-name"}{"execute":"qmp_capabilities"}',
          '{"execute":"qmp_capabilities","arguments":{"bar":1}}',
        ].join('\n'),
      );
      expect(replies[0]).to.have.property('id', 7);
      expect(replies.map(brief)).to.deep.equal([
        expecting,
        expecting,
        expecting,
        "QMP input lacks member 'execute'",
        'QMP input must be a JSON object',
        "QMP input member 'foo' is unexpected",
        "QMP input member 'exec-oob' is unexpected",
        "Invalid parameter type for 'enable', expected: array",
        "Invalid parameter type for 'enable[0]', expected: string",
        strict ? "Parameter 'null' does not accept value 'foo'" : "Invalid parameter 'foo'",
        "Parameter 'bar' is unexpected",
        expecting,
        'R',
        'R',
        'CommandNotFound: Capabilities negotiation is already complete, command ignored',
        "Parameter 'bar' is unexpected",
      ]);
      await stop();
    });

    it('QMP-CMD-01..12: checks the envelope in order', async () => {
      const { first, stop } = await connected({ args });
      const rows: [string, string][] = [
        ['{"execute":"migrate-set","arguments":5}', "QMP input member 'arguments' must be an object"],
        ['{"execute":"query-name","arguments":null}', "QMP input member 'arguments' must be an object"],
        ['{"execute":"query-name","arguments":{"k":1}}', "Parameter 'k' is unexpected"],
        ['{"execute":null}', "QMP input member 'execute' must be a string"],
        ['{"execute":"query_name"}', 'CommandNotFound: The command query_name has not been found'],
        ['{"execute":""}', 'CommandNotFound: The command  has not been found'],
        ['{"EXECUTE":"query-name"}', "QMP input member 'EXECUTE' is unexpected"],
        ['{"\\u0065xecute":"query-\\u006eame"}', 'R'],
        ['{"arguments":1}', "QMP input member 'arguments' must be an object"],
        ['{"execute":"%s%n"}', 'CommandNotFound: The command %s%n has not been found'],
        ['{"execute":"query-name","control":{"run-oob":true}}', "QMP input member 'control' is unexpected"],
        ['[{"execute":"query-name"}]', 'QMP input must be a JSON object'],
        ['{"exec-oob":"query-name"}', "QMP input member 'exec-oob' is unexpected"],
        [`{"execute":"${'x'.repeat(5000)}"}`, `CommandNotFound: The command ${'x'.repeat(5000)} has not been found`],
      ];
      for (const [input, expected] of rows)
        expect((await first.send(input)).map(brief), input).to.deep.equal([expected]);
      await stop();
    });

    it('QMP-REPLY-04, QMP-REPLY-05, QMP-OUT-01..04: echoes the id by value', async () => {
      const { first, stop } = await connected({ args });
      for (const [id, echoed] of [
        ['null', 'null'],
        ['[ 1 ,2,  {"a" :1} ]', '[1, 2, {"a": 1}]'],
        ['18446744073709551615', '18446744073709551615'],
        ['-0', '0'],
        ['-0.0', '-0'],
        ['1.0', '1'],
        ['0.1', strict ? '0.10000000000000001' : '0.1'],
        ['1e-7', strict ? '9.9999999999999995e-08' : '0'],
        ['1.0e400', 'inf'],
        ['"\\b\\f\\n\\r\\t/\\\\\\"\'"', '"\\b\\f\\n\\r\\t/\\\\\\"\'"'],
        ['"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f"', '"\\u00E9\\u20AC\\uD83D\\uDE00\\u007F"'],
        ['"\\ud83d\\ude00"', strict ? '"\\uD83D\\uDE00"' : '"\\uFFFD\\uFFFD"'],
        ['"a\\u0000b"', strict ? '"a\\u0000b"' : '"ab"'],
      ] as const) {
        expect(await first.raw(`{"execute":"qmp_capabilities","id":${id},"arguments":{"x":1}}`)).to.contain(
          `"id": ${echoed}`,
        );
      }
      await stop();
    });
  });
}

describe('Baseline text damage', () => {
  it('QMP-OUT-03: one U+FFFD for each ill-formed sequence', async () => {
    const { first, stop } = await connected();
    for (const [bytes, echoed] of [
      ['\xe0\x80\x80', '\\uFFFD'],
      ['\xed\xa0\x80', '\\uFFFD'],
      ['\xf4\x90\x80\x80', '\\uFFFD'],
      ['\xef\xbf\xbf', '\\uFFFD'],
      ['\x80\x80', '\\uFFFD\\uFFFD'],
      ['\xe2\x82\xe2\x82\xac', '\\uFFFD\\u20AC'],
      ['\xc2A', '\\uFFFDA'],
    ])
      expect(await first.raw(`{"execute":"query-name","id":"${bytes}"}`)).to.contain(`"id": "${echoed}"`);
    await stop();
  });

  it('QMP-OUT-05: %f without trailing zeros', async () => {
    const { first, stop } = await connected();
    const text = await first.raw(
      '{"execute":"query-name","id":[3.14159265358979,1e3,18446744073709551616,0.0078125,-9223372036854775809]}',
    );
    expect(text).to.contain('[3.141593, 1000, 18446744073709551616, 0.007812, -9223372036854775808]');
    expect(await first.raw('{"execute":"query-name","id":1.0e308}')).to.match(/"id": 1\d{308}\}/);
    await stop();
  });

  it('QMP-TRANS-12: pretty output', async () => {
    const { client, stop } = await run({ pretty: true });
    const c = client();
    expect(await c.raw(' ')).to.equal('');
    expect(await c.raw('{"execute":"qmp_capabilities","id":[1,[]]}')).to.equal(
      '{\r\n    "return": {\r\n    },\r\n    "id": [\r\n        1,\r\n        [\r\n        ]\r\n    ]\r\n}\r\n',
    );
    await stop();
  });

  it('QMP-TRANS-07..11: any cut, any blanks, any number in one write', async () => {
    const { first, stop } = await connected();
    const command = '{\r\n\t"execute"\n:\t"query-name"\r, "id": "a\\u00e9\\n", "arguments": {} }';
    const whole = await first.raw(command);
    let pieces = '';
    for (const byte of command) pieces += await first.raw(byte);
    expect(pieces).to.equal(whole);
    expect((await first.send('{"execute":"query-name","id":1} {"execute":"query-name","id":2}\t')).length).to.equal(2);
    expect(await first.raw('\n\n\r\n')).to.equal('');
    expect(await first.raw('5')).to.equal('');
    expect(await first.raw(' ')).to.contain('must be a JSON object');
    await stop();
  });
});
