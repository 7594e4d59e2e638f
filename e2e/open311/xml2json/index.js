// Stands in for a native module used for XML only; the test speaks JSON.
exports.toJson = function () {
  throw new Error('no XML in this test')
}
