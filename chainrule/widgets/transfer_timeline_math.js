// When everything happens while batches travel to a device. The same as transfer_timeline_math.py,
// which a test holds against this file.

export const BATCHES = 4;
export const KERNELS = 4;
export const LANES = ["host", "copy", "compute", "back"];
const [SAMPLE_BYTES, SAMPLE_FLOPS] = [65536, 40e6];
const [LAUNCH, COPY_LATENCY, OVERHEAD] = [5, 10, 2]; // microseconds

/** All batches planned: spans in the order of launching, and the microseconds until the end. */
export function schedule(state) {
  const [spans, free] = [[], { copy: 0, compute: 0, back: 0 }];
  let [host, stream] = [0, 0];
  const launch = (lane, batch, seconds, after) => {
    spans.push({ lane: "host", kind: "launch", batch, start: host, end: host + LAUNCH });
    host += LAUNCH;
    const start = Math.max(host, free[lane], after);
    free[lane] = start + seconds;
    spans.push({ lane, kind: lane, batch, start, end: start + seconds });
    return start + seconds;
  };
  const wait = (batch, until) => {
    spans.push({ lane: "host", kind: "wait", batch, start: host, end: until });
    host = until;
  };
  const apart = state.pinned && state.overlap;
  const rate = state.bandwidth * 1e3 * (state.pinned ? 1 : 0.5); // bytes in a microsecond
  const copy = COPY_LATENCY + state.batch * SAMPLE_BYTES / rate;
  const kernel = OVERHEAD + state.batch * SAMPLE_FLOPS / KERNELS / (state.tflops * 1e6);
  for (let k = 0; k < BATCHES; k += 1) {
    const arrived = launch("copy", k, copy, apart ? 0 : stream);
    if (!state.pinned) wait(k, arrived);
    for (let j = 0; j < KERNELS; j += 1) stream = launch("compute", k, kernel, Math.max(stream, arrived));
    if (state.look || k === BATCHES - 1) {
      stream = launch("back", k, COPY_LATENCY, stream);
      wait(k, stream);
    }
  }
  return { spans, total: host };
}

/** How many microseconds a lane works, on one kind of thing or on all. */
export const busy = ({ spans }, lane, kind = "") => spans
  .filter((span) => span.lane === lane && span.kind === (kind || span.kind))
  .reduce((sum, span) => sum + (span.end - span.start), 0);

const shown = (value, digits) => value.toFixed(digits);

/** The plan in one sentence. */
export function summary(plan, state) {
  const share = (lane, kind = "") => shown(100 * busy(plan, lane, kind) / plan.total, 0);
  const rate = shown(state.batch * BATCHES / plan.total * 1e3, 0);
  return `${shown(plan.total / 1e3, 3)} ms, ${rate} samples in a millisecond; copies to the device take `
    + `${share("copy")} % of the time, kernels ${share("compute")} %, and the host waits ${share("host", "wait")} %`;
}

/** For each batch when it is copied, computed and known to the host, in milliseconds. */
export function timelineRows(plan) {
  const ms = (value) => shown(value / 1e3, 3);
  return Array.from({ length: BATCHES }, (_, k) => {
    const of = (lane) => plan.spans.filter((span) => span.lane === lane && span.batch === k);
    const [copies, kernels, backs] = ["copy", "compute", "back"].map(of);
    return [`batch ${k + 1}`, `${ms(copies[0].start)} to ${ms(copies[0].end)}`,
      `${ms(kernels[0].start)} to ${ms(kernels[KERNELS - 1].end)}`,
      backs.length ? ms(backs[0].end) : "with the last"];
  });
}
