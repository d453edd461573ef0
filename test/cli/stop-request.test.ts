import { describe, expect, it } from 'vitest';
import { StopRequest } from '../../cli/stop-request.js';
import { createSimSystem } from '../../system/sim/index.js';

function setUp() {
  const simulation = createSimSystem({ seed: 1 });
  const { clock } = simulation.process('up');
  let signal: () => void = () => {};
  let seconds = 0;
  const processes = {
    onSignal(callback: () => void) {
      signal = callback;
      return () => {
        signal = () => {};
      };
    },
  };
  const stop = new StopRequest({ clock, processes: processes as never }, () => {
    seconds++;
  });
  return { simulation, stop, signal: () => signal(), seconds: () => seconds };
}

describe('StopRequest', () => {
  it('takes signals within a second for one, and a later one for now', async () => {
    const { stop, signal, seconds, simulation } = setUp();
    signal();
    await stop.requested;
    await simulation.advance(500);
    signal();
    expect(seconds()).toBe(0);
    await simulation.advance(600);
    signal();
    expect(seconds()).toBe(1);
  });

  it('can be asked without a signal, and listens no more once closed', async () => {
    const { stop, signal, seconds, simulation } = setUp();
    stop.request();
    await stop.requested;
    signal();
    stop.close();
    await simulation.advance(5_000);
    signal();
    expect(seconds()).toBe(0);
  });
});
