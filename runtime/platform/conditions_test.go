package platform

import (
	"math"
	"testing"
	"testing/fstest"
)

// class is a tree as Linux has it in /sys/class.
func class(files map[string]string) fstest.MapFS {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return tree
}

func TestConditions(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		files map[string]string
		want  Conditions
	}{
		"nothing is told": {nil, Conditions{Celsius: nan, Battery: -1}},
		"a phone": {map[string]string{
			"thermal/thermal_zone0/type": "cpu-0-0", "thermal/thermal_zone0/temp": "81300",
			"thermal/thermal_zone1/type": "skin-therm", "thermal/thermal_zone1/temp": "38500",
			"thermal/thermal_zone2/type": "modem-off", "thermal/thermal_zone2/temp": "-273000",
			"thermal/cooling_device0/type": "fan",
			"power_supply/usb/type":        "USB",
			"power_supply/bms/type":        "Battery", "power_supply/bms/capacity": "57", "power_supply/bms/temp": "331", "power_supply/bms/status": "Discharging",
		}, Conditions{Celsius: 38.5, Sensor: "skin-therm", Battery: 57}},
		"a phone without a skin": {map[string]string{
			"thermal/thermal_zone0/type": "cpu-0-0", "thermal/thermal_zone0/temp": "81300",
			"power_supply/battery/type": "Battery", "power_supply/battery/capacity": "100", "power_supply/battery/temp": "331", "power_supply/battery/status": "Full",
		}, Conditions{Celsius: 33.1, Sensor: "battery", Battery: 100, Charging: true}},
		"a laptop": {map[string]string{
			"thermal/thermal_zone0/type": "acpitz", "thermal/thermal_zone0/temp": "27800",
			"thermal/thermal_zone1/type": "x86_pkg_temp", "thermal/thermal_zone1/temp": "64000",
			"power_supply/hidpp/type": "Battery", "power_supply/hidpp/scope": "Device", "power_supply/hidpp/capacity": "3",
		}, Conditions{Celsius: 64, Sensor: "x86_pkg_temp", Battery: -1}},
		"strange files": {map[string]string{
			"thermal/thermal_zone0/temp": "warm", "thermal/thermal_zone1/temp": "99999999999999999999", "thermal/thermal_zone2/temp": "41000",
			"power_supply/b/type": "Battery", "power_supply/b/capacity": "400", "power_supply/b/status": "Unknown",
		}, Conditions{Celsius: 41, Sensor: "unnamed sensor", Battery: -1}},
	} {
		got := conditions(class(c.files))
		if math.IsNaN(c.want.Celsius) == math.IsNaN(got.Celsius) && math.IsNaN(got.Celsius) {
			got.Celsius, c.want.Celsius = 0, 0
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestConditionsOfThisMachine(t *testing.T) {
	c := ReadConditions()
	if c.Battery < -1 || c.Battery > 100 || c.Celsius < leastCelsius || c.Celsius > mostCelsius {
		t.Errorf("%+v", c)
	}
}
