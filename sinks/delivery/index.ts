export { deliverySink } from './delivery-sink.js';
export type {
  CutOrigin,
  Delivery,
  Destination,
  DestinationComponent,
  DestinationContext,
  Verdict,
} from './destination.js';
