package platform

import (
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// Conditions are what the machine tells of its heat and its battery.
type Conditions struct {
	// Celsius is the temperature that its owner feels, where a sensor for it is
	// known: the skin's, else the battery's; else that of the hottest sensor. NaN
	// where none is read.
	Celsius float64
	Sensor  string // which that was
	Battery int    // charge in percent; −1 where there is none to be read
	// Charging is set while the battery gains, or is full on a charger.
	Charging bool
}

// ReadConditions reads Linux's files; elsewhere nothing is known.
func ReadConditions() Conditions { return conditions(os.DirFS("/sys/class")) }

// A sensor that is switched off shows values that no machine at work has.
const (
	leastCelsius = -30
	mostCelsius  = 125
)

// conditions reads the tree that Linux has as /sys/class.
func conditions(tree fs.FS) Conditions {
	c := Conditions{Celsius: math.NaN(), Battery: -1}
	rank := 0
	take := func(sensor, text string, perDegree float64) {
		value, err := strconv.ParseInt(text, 10, 64)
		celsius := float64(value) / perDegree
		if err != nil || celsius < leastCelsius || celsius > mostCelsius || celsius == 0 {
			return
		}
		if r := sensorRank(sensor); r > rank || r == rank && celsius > c.Celsius {
			c.Celsius, c.Sensor, rank = celsius, sensor, r
		}
	}
	for _, zone := range entries(tree, "thermal", "thermal_zone") {
		take(orUnnamed(firstLine(tree, path.Join(zone, "type"))), firstLine(tree, path.Join(zone, "temp")), 1000)
	}
	for _, supply := range entries(tree, "power_supply", "") {
		if firstLine(tree, path.Join(supply, "type")) != "Battery" || firstLine(tree, path.Join(supply, "scope")) == "Device" {
			continue // a charger, or the battery of a mouse
		}
		take("battery", firstLine(tree, path.Join(supply, "temp")), 10)
		if percent, err := strconv.Atoi(firstLine(tree, path.Join(supply, "capacity"))); err == nil && percent >= 0 && percent <= 100 {
			c.Battery = percent
		}
		switch firstLine(tree, path.Join(supply, "status")) {
		case "Charging", "Full":
			c.Charging = true
		}
	}
	return c
}

// sensorRank is higher for a sensor nearer to who holds the machine.
func sensorRank(name string) int {
	name = strings.ToLower(name)
	switch {
	case strings.Contains(name, "skin"):
		return 3
	case strings.HasPrefix(name, "batt"):
		return 2
	}
	return 1
}

// entries lists what a folder holds that begins with a word; nothing where it
// cannot be read.
func entries(tree fs.FS, folder, word string) []string {
	list, err := fs.ReadDir(tree, folder)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range list {
		if strings.HasPrefix(entry.Name(), word) {
			names = append(names, path.Join(folder, entry.Name()))
		}
	}
	return names
}

func orUnnamed(name string) string {
	if name == "" {
		return "unnamed sensor"
	}
	return name
}
