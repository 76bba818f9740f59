import { resolve } from 'node:path';
import { expect } from 'chai';
import { commandTarget } from '../../targets/executable.js';

describe('a template with {arguments}', () => {
  const monitor = `'${process.execPath}' '${resolve('dist/reference/monitor/main.js')}'`;

  it('is started as QEMU would be, with all that a requirement asks for', async () => {
    const target = commandTarget('wrapped', `env QMPSPEC_WRAPPED=1 ${monitor} --dialect 7.2 {arguments}`);
    try {
      const instance = await target.start({
        name: 'wrapped guest',
        incoming: 'defer',
        monitors: [{ transport: 'unix' }, { transport: 'tcp' }],
      });
      const second = await instance.connect({ monitor: 1 });
      await second.greeting();
      await second.negotiate();
      expect((await second.command('query-name')).value).to.have.deep.property('return', { name: 'wrapped guest' });
      expect((await second.command('query-status')).value).to.have.nested.property('return.status', 'inmigrate');
    } finally {
      await target.close();
    }
  });

  it('does not start what goes into the background, nor does any other template', () => {
    const inFront = 'what it starts must stay in the foreground';
    expect(() => commandTarget('x', `${monitor} -daemonize {arguments}`)).to.throw(
      `must not have -daemonize: ${inFront}`,
    );
    expect(() => commandTarget('x', `${monitor} --daemonize --qmp {qmp}`)).to.throw(
      `must not have --daemonize: ${inFront}`,
    );
  });

  const refused = (template: string) => expect(() => commandTarget('x', template));
  it('has it once, as a word of its own, and no other placeholder', () => {
    refused(`${monitor} --with={arguments}`).to.throw('{arguments} must be a word of its own');
    refused(`${monitor} {arguments} {arguments}`).to.throw('stand there once');
    refused(`${monitor} {arguments} --qmp {qmp}`).to.throw('{arguments} says all that {qmp} would');
  });
});
