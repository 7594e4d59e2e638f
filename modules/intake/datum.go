package intake

import "math"

// Datum is what coordinates refer to: WGS84 everywhere, GCJ-02 on maps sold in China, WeChat's among them.
type Datum string

// The datums.
const (
	WGS84 Datum = "wgs84"
	GCJ02 Datum = "gcj02"
)

// ellipsoid of Krasovsky 1940, which GCJ-02 is reckoned on.
const (
	semiMajor    = 6378245.0
	eccentricity = 0.00669342162296594323
)

// abroad reports whether a point lies outside the box in which GCJ-02 differs from WGS84.
func abroad(lat, long float64) bool {
	return long < 72.004 || long > 137.8347 || lat < 0.8293 || lat > 55.8271
}

// shift is how far GCJ-02 lies from WGS84 at a point, by the published approximation.
func shift(lat, long float64) (dLat, dLong float64) {
	x, y := long-105, lat-35
	wave := (20*math.Sin(6*x*math.Pi) + 20*math.Sin(2*x*math.Pi)) * 2 / 3
	dLat = -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*math.Sqrt(math.Abs(x)) + wave +
		(20*math.Sin(y*math.Pi)+40*math.Sin(y/3*math.Pi))*2/3 + (160*math.Sin(y/12*math.Pi)+320*math.Sin(y*math.Pi/30))*2/3
	dLong = 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*math.Sqrt(math.Abs(x)) + wave +
		(20*math.Sin(x*math.Pi)+40*math.Sin(x/3*math.Pi))*2/3 + (150*math.Sin(x/12*math.Pi)+300*math.Sin(x/30*math.Pi))*2/3
	rad := lat / 180 * math.Pi
	magic := 1 - eccentricity*math.Sin(rad)*math.Sin(rad)
	root := math.Sqrt(magic)
	return dLat * 180 / ((semiMajor * (1 - eccentricity)) / (magic * root) * math.Pi), dLong * 180 / (semiMajor / root * math.Cos(rad) * math.Pi)
}

// ToGCJ02 turns WGS84 into GCJ-02. Outside China they are the same.
func ToGCJ02(lat, long float64) (float64, float64) {
	if abroad(lat, long) {
		return lat, long
	}
	dLat, dLong := shift(lat, long)
	return lat + dLat, long + dLong
}

// ToWGS84 turns GCJ-02 into WGS84, to within a centimetre of what ToGCJ02 would turn back.
func ToWGS84(lat, long float64) (float64, float64) {
	if abroad(lat, long) {
		return lat, long
	}
	wLat, wLong := lat, long
	for range 6 {
		gLat, gLong := ToGCJ02(wLat, wLong)
		wLat, wLong = wLat+lat-gLat, wLong+long-gLong
	}
	return wLat, wLong
}
