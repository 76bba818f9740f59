import { expect } from 'chai';
import { parseOptions } from '../../../reference/monitor/options.js';
import { UsageError } from '../../../reference/monitor/usage-error.js';

const refusal = (...args: string[]): string => {
  try {
    parseOptions(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return '';
};

describe('Command line of the monitor', () => {
  const errors: [args: string[], text: string][] = [
    [['-foo'], '-foo: invalid option'],
    [['--constructor'], '--constructor: invalid option'],
    [['disk.img'], 'disk.img: unexpected argument'],
    [['-m'], '-m: requires an argument'],
    [['-m', 'abc'], "-m abc: Parameter 'size' expects"],
    [['-m', '64X'], "-m 64X: Parameter 'size' expects"],
    [['-m', '100G'], 'at most 4 GiB'],
    [['-M', 'pc'], 'unsupported machine type'],
    [['-qmp', 'foo'], "'foo' is not a valid char driver"],
    [['-qmp', 'tcp:127.0.0.1'], 'parse error'],
    [['-qmp', 'tcp:127.0.0.1:99999'], "'99999' is not a port number"],
    [['-qmp', `unix:/${'x'.repeat(120)}`], 'too long'],
    [['-qmp', 'unix:/tmp/x,server,foo=1'], "Invalid parameter 'foo'"],
    [['-qmp', 'unix:/tmp/x,server=maybe'], "Parameter 'server' expects 'on' or 'off'"],
    [['-mon', 'chardev=x,mode=control'], 'chardev "x" not found'],
    [['-chardev', 'stdio,id=c', '-mon', 'chardev=c'], 'use mode=control'],
    [['-chardev', 'pty,id=c'], "'pty' is not a valid char driver name"],
    [['-chardev', 'socket,id=c'], "give 'path'"],
    [['-chardev', 'socket'], "Parameter 'id' is missing"],
    [['-chardev', 'stdio,id=c', '-chardev', 'stdio,id=c'], "Duplicate ID 'c'"],
    [['-device', 'e1000'], "'e1000' is not a valid device model name"],
    [['-device', 'loader,addr=0'], "Parameter 'file' is missing"],
    [['-serial', 'stdio'], "only 'none'"],
    [['-monitor', 'stdio'], "only 'none'"],
    [['-uuid', 'x'], 'wrong format'],
    [['-global', 'foo'], 'expected migration.PROPERTY=VALUE'],
    [['--dialect', '4.2'], 'known are 3.0, 7.2, 10.0'],
  ];
  for (const [args, text] of errors)
    it(`refuses ${args.join(' ')}`.slice(0, 80), () => expect(refusal(...args)).to.contain(text));

  it('takes what a machine without devices is started with', () => {
    const options = parseOptions(
      `-M none -nodefaults -display none -nographic -no-user-config -monitor none -serial none -no-shutdown -accel tcg
      -enable-kvm -cpu host -m 1G -S -name guest=g,debug-threads=on -uuid 00000000-0000-0000-0000-000000000001
      -msg timestamp=on -pidfile /tmp/p -device loader,file=/tmp/i,addr=0x1000,force-raw=on
      -global migration.x-max-bandwidth=5 -incoming defer --dialect 10.0 --fault a --fault b
      -mon chardev=c,mode=control,pretty=on,x-oob=on -chardev socket,id=c,path=/tmp/a,,b,server=on,wait=off
      -qmp tcp:[::1]:55,reconnect=1`.split(/\s+/),
    );
    expect(options.memory).to.equal(2 ** 30);
    expect(options.guestName).to.equal('g');
    expect(options.loaders[0]).to.include({ file: '/tmp/i', address: 4096 });
    expect([...options.faults]).to.deep.equal(['a', 'b']);
    expect([...options.migrationProperties]).to.deep.equal([['x-max-bandwidth', '5']]);
    expect(options.monitors.map(({ address, pretty, oob }) => ({ address, pretty, oob }))).to.deep.equal([
      {
        address: { kind: 'unix', path: '/tmp/a,b', server: true, wait: false, reconnectMs: 0 },
        pretty: true,
        oob: true,
      },
      {
        address: { kind: 'tcp', host: '::1', port: 55, server: false, wait: false, reconnectMs: 1000 },
        pretty: false,
        oob: undefined,
      },
    ]);
  });

  it('reject what is deprecated where -compat says so, and nothing else of it', () => {
    expect(parseOptions(['-compat', 'deprecated-input=reject']).rejectsDeprecated).to.equal(true);
    expect(parseOptions(['-compat', 'deprecated-input=accept']).rejectsDeprecated).to.equal(false);
    const refused = (value: string) => () => parseOptions(['-compat', value]);
    expect(refused('deprecated-output=hide')).to.throw(UsageError, 'deprecated-output=hide is not possible here');
    expect(refused('else=1')).to.throw(UsageError, "Invalid parameter 'else'");
  });
});
