// Stands in for a dependency that is fetched over git and used for XML only; the test speaks JSON.
module.exports = function () {
  throw new Error('no XML in this test')
}
