import { expect } from 'chai';
import { guestNameIn } from '../../targets/guest-name.js';

describe('the name that arguments give a guest', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['-M none', undefined],
    ['-name vm', 'vm'],
    ['-M none --name vm,debug-threads=on -S', 'vm'],
    ['-name guest=vm,process=other', 'vm'],
    ['-name debug-threads=on', undefined],
    ['-name debug-threads=on,guest=vm', 'vm'],
    ['-name a,,b', 'a,b'],
    ['-name one -name two', 'two'],
    ['-name one -name debug-threads=on', 'one'],
    ['-name', undefined],
  ];
  for (const [line, name] of cases)
    it(`${line}: ${name ?? 'none'}`, () => {
      expect(guestNameIn(line.split(' '))).to.equal(name);
    });
});
