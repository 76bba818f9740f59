import { expect } from 'chai';
import { qemuArguments } from '../../targets/arguments.js';

const argumentsFor = async (more?: readonly string[]) =>
  (await qemuArguments({ ramImage: '/x/ram' }, '/x', async () => 0, more)).args.join(' ');

describe('arguments of a start', () => {
  it('put an image at the beginning of the RAM', async () => {
    expect(await argumentsFor()).to.contain('-device loader,file=/x/ram,addr=0,force-raw=on');
    expect(await argumentsFor(['-accel', 'tcg', '-name', 'M'])).to.contain(',addr=0,');
  });

  it('leave the first MiB to the firmware of another machine', async () => {
    for (const more of [
      ['-M', 'pc'],
      ['-accel', 'kvm', '-machine', 'q35'],
      ['--machine', 'virt'],
    ]) {
      expect(await argumentsFor(more)).to.contain(',addr=1048576,');
    }
  });
});
