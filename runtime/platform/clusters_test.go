package platform

import (
	"fmt"
	"reflect"
	"testing"
	"testing/fstest"
)

// phone is Linux's tree of CPUs on a phone with three kinds of core, CPU 5 of
// which is offline.
func phone() fstest.MapFS {
	tree := fstest.MapFS{}
	file := func(name, text string) { tree[name] = &fstest.MapFile{Data: []byte(text + "\n")} }
	file("online", "0-4,6-7")
	for cpu := range 8 {
		folder := fmt.Sprintf("cpu%d/", cpu)
		capacity, khz, midr, l2 := "325", "2016000", "0x00000000411fd461", "256K"
		switch {
		case cpu == 7:
			capacity, khz, midr, l2 = "1024", "3187200", "0x00000000411fd4e0", "1024K"
		case cpu >= 3:
			capacity, khz, midr, l2 = "834", "2803200", "0x00000000411fd4d0", "512K"
		}
		file(folder+"cpu_capacity", capacity)
		file(folder+"cpufreq/cpuinfo_max_freq", khz)
		file(folder+"regs/identification/midr_el1", midr)
		for index, cache := range [][3]string{{"1", "Data", "64K"}, {"1", "Instruction", "32K"}, {"2", "Unified", l2}, {"3", "Unified", "8192K"}} {
			file(fmt.Sprintf("%scache/index%d/level", folder, index), cache[0])
			file(fmt.Sprintf("%scache/index%d/type", folder, index), cache[1])
			file(fmt.Sprintf("%scache/index%d/size", folder, index), cache[2])
		}
	}
	return tree
}

func TestClustersOfAPhone(t *testing.T) {
	const kilo = 1 << 10
	want := []Cluster{
		{CPUs{0, 1, 2}, CoreKind{"Cortex-A510", 325, 2016000, 64 * kilo, 256 * kilo, 8192 * kilo}},
		{CPUs{3, 4, 6}, CoreKind{"Cortex-A715", 834, 2803200, 64 * kilo, 512 * kilo, 8192 * kilo}},
		{CPUs{7}, CoreKind{"Cortex-X3", 1024, 3187200, 64 * kilo, 1024 * kilo, 8192 * kilo}},
	}
	if got := clusters(phone(), 3); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// What a system keeps to itself, or writes strangely, is unknown, not an error.
func TestClustersOfASilentSystem(t *testing.T) {
	want := []Cluster{{CPUs: CPUs{0, 1, 2}}}
	if got := clusters(fstest.MapFS{}, 3); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	strange := phone()
	for name, file := range strange {
		if name != "online" {
			file.Data = []byte([...]string{"", "-5", "x", "99999999999999999999", "1e3", "9223372036854775807K"}[len(name)%6])
		}
	}
	for _, cluster := range clusters(strange, 3) {
		if k := cluster.CoreKind; k.Capacity != 0 || k.MaxKHz != 0 || k.L1dBytes != 0 || k.L2Bytes != 0 || k.L3Bytes != 0 {
			t.Errorf("%+v", cluster)
		}
	}
}

func TestClustersOfThisMachine(t *testing.T) {
	seen := 0
	for _, cluster := range Clusters() {
		seen += len(cluster.CPUs)
	}
	if seen == 0 {
		t.Error("no CPU")
	}
}

func TestArmCore(t *testing.T) {
	for midr, want := range map[string]string{
		"":                   "",
		"zero":               "",
		"0x00000000410fd0b1": "Cortex-A76",
		"0x00000000410fffff": "maker 0x41 part 0xfff",
		"0x00000000511f8040": "maker 0x51 part 0x804", // Qualcomm's own number for a Cortex-A76
	} {
		if got := armCore(midr); got != want {
			t.Errorf("MIDR %q is %q, want %q", midr, got, want)
		}
	}
}

// Only a machine of nothing but narrow cores, all of which tell what they are, is
// taken for one.
func TestNarrowLoads(t *testing.T) {
	machine := func(online, present string, parts ...string) fstest.MapFS {
		tree := fstest.MapFS{"online": {Data: []byte(online + "\n")}, "present": {Data: []byte(present + "\n")}}
		for cpu, part := range parts {
			tree[fmt.Sprintf("cpu%d/regs/identification/midr_el1", cpu)] = &fstest.MapFile{Data: []byte("0x00000000410f" + part + "0\n")}
		}
		return tree
	}
	for name, c := range map[string]struct {
		tree fstest.MapFS
		want bool
	}{
		"like ones":       {machine("0-1", "0-1", "d05", "d05"), true},
		"two kinds":       {machine("0-2", "0-2", "d03", "d05", "d03"), true},
		"with a wide one": {machine("0-2", "0-2", "d05", "d05", "d0b"), false},
		"one offline":     {machine("0-1", "0-2", "d05", "d05"), false},
		"one silent":      {machine("0-1", "0-1", "d05"), false},
		"present untold":  {machine("0-1", "", "d05", "d05"), false},
		"a phone":         {phone(), false},
		"nothing told":    {fstest.MapFS{}, false},
	} {
		if got := narrowLoads(c.tree); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
