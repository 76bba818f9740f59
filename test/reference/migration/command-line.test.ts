import { expect } from 'chai';
import { type DialectName, dialectNames, dialects } from '../../../reference/dialects/dialect.js';
import { initialSettings } from '../../../reference/migration/command-line.js';
import { CommandError } from '../../../reference/migration/host.js';
import { TestMachine } from './test-machine.js';

const read = (dialect: DialectName, properties: Readonly<Record<string, string>>) =>
  initialSettings(new Map(Object.entries(properties)), dialects[dialect].migration);

function refusal(dialect: DialectName, name: string, value: string): string {
  try {
    read(dialect, { [name]: value });
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
  throw new Error(`${name}=${value} was taken`);
}

describe('migration: properties of the command line', () => {
  for (const dialect of dialectNames) {
    it(`${dialect}: every property names what the dialect has`, () => {
      const { properties, capabilities, parameters } = dialects[dialect].migration;
      for (const name of Object.values(properties.capabilities)) expect(capabilities).to.include(name);
      const known = parameters.map(({ name }) => name);
      for (const name of Object.values(properties.parameters)) expect(known).to.include(name);
    });
  }

  it('are settings by other names', () => {
    const { parameters, capabilities } = read('7.2', {
      'x-max-bandwidth': '1M',
      'xbzrle-cache-size': '0x20000',
      'multifd-channels': '3',
      'multifd-compression': 'zlib',
      'x-cpu-throttle-tailslow': 'on',
      'x-xbzrle': 'on',
      'x-colo': 'off',
      'send-section-footer': 'off',
    });
    expect(parameters).to.deep.equal({
      'max-bandwidth': 1048576n,
      'xbzrle-cache-size': 131072n,
      'multifd-channels': 3n,
      'multifd-compression': 'zlib',
      'cpu-throttle-tailslow': true,
    });
    expect(capabilities).to.deep.equal([
      { capability: 'xbzrle', state: true },
      { capability: 'x-colo', state: false },
    ]);
  });

  // In the words of a real 7.2.
  const refusals: readonly (readonly [DialectName, string, string, string])[] = [
    ['7.2', 'bogus', '9', "Property 'migration.bogus' not found"],
    ['10.0', 'x-compress-level', '1', "Property 'migration.x-compress-level' not found"],
    ['7.2', 'compress-level', '1', "Property 'migration.compress-level' not found"],
    ['7.2', 'x-compress-level', 'q', "Parameter 'x-compress-level' expects uint64"],
    ['7.2', 'x-compress-level', '300', "Parameter 'x-compress-level' expects uint8_t"],
    ['7.2', 'x-events', 'q', "Parameter 'x-events' expects 'on' or 'off'"],
    ['7.2', 'x-max-bandwidth', '-1', "Parameter 'x-max-bandwidth' expects a non-negative number below 2^64"],
    ['7.2', 'multifd-compression', 'foo', "Parameter 'multifd-compression' does not accept value 'foo'"],
  ];
  for (const [dialect, name, value, why] of refusals) {
    it(`refuses ${name}=${value} in ${dialect}`, () => {
      expect(refusal(dialect, name, value)).to.equal(`can't apply global migration.${name}=${value}: ${why}`);
    });
  }

  it('hold from the beginning, and what does not go together is refused', async () => {
    const machine = (...properties: [string, string][]) =>
      new TestMachine({ dialect: '7.2', properties: new Map(properties) });
    const one = machine(['x-max-bandwidth', '5M'], ['x-return-path', 'on']);
    const shown = (await one.ok('query-migrate-parameters')) as Record<string, unknown>;
    expect(shown['max-bandwidth']).to.equal(5 * 2 ** 20);
    expect(await one.ok('query-migrate-capabilities')).to.deep.include({ capability: 'return-path', state: true });
    one.close();
    expect(() => machine(['x-compress', 'on'], ['x-multifd', 'on'])).to.throw(
      'Multifd is not compatible with compress',
    );
    expect(() => machine(['multifd-channels', '0'])).to.throw('expects a value between 1 and 255');
  });
});
