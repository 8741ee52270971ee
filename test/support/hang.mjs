// Preloaded (`--import`) by a process that a test wants to hang: this text never ends.
const { normalize } = String.prototype;
String.prototype.normalize = function normalizeForever(form) {
  for (; this.includes('hang-for-ever'); ) Math.sqrt(2);
  return normalize.call(this, form);
};
