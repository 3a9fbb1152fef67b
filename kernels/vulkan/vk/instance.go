package vk

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"zeroth/kernels/dl"
)

// ValidationLayer checks how Vulkan is used and reports each mistake.
const ValidationLayer = "VK_LAYER_KHRONOS_validation"

// The extensions that validation needs.
const (
	debugUtils         = "VK_EXT_debug_utils"
	validationFeatures = "VK_EXT_validation_features"
)

// libraries are the names of the loader on each system.
var libraries = map[string][]string{
	"linux":   {"libvulkan.so.1", "libvulkan.so"},
	"android": {"libvulkan.so"},
	"windows": {"vulkan-1.dll"},
	"darwin":  {"libvulkan.1.dylib", "libMoltenVK.dylib"},
}

// Options say how an instance is opened.
type Options struct {
	// Validate turns the validation layer on, synchronisation included, and
	// collects its warnings and errors. It must be installed.
	Validate bool
}

// Instance is a connection to the system's Vulkan loader.
type Instance struct {
	lookUp    entry // vkGetInstanceProcAddr
	entries   instanceEntries
	handle    uintptr
	messenger handle
	number    uintptr // of this instance, among those that get messages
	devices   []*Physical
}

// Open loads Vulkan, makes an instance and lists its devices.
func Open(o Options) (*Instance, error) {
	library, err := dl.Open(libraries[runtime.GOOS]...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	address, err := library.Symbol("vkGetInstanceProcAddr")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	i := &Instance{lookUp: entry(address)}
	if err := i.create(o); err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

func (i *Instance) create(o Options) error {
	enumerate := find(i.lookUp, 0, "vkEnumerateInstanceVersion")
	have := version(1, 0)
	if enumerate != 0 {
		if err := check(enumerate.call(uintptr(unsafe.Pointer(&have))), "vkEnumerateInstanceVersion"); err != nil {
			return err
		}
	}
	if have < version(1, 1) {
		return fmt.Errorf("%w: its loader is of Vulkan %d.%d, at least 1.1 is needed", ErrUnavailable, versionMajor(have), versionMinor(have))
	}
	info := &instanceCreateInfo{
		sType: typeInstanceCreateInfo,
		pApplicationInfo: &applicationInfo{
			sType: typeApplicationInfo, pApplicationName: cString("zeroth"), pEngineName: cString("zeroth"), apiVersion: version(1, 1),
		},
	}
	var messenger *messengerCreateInfo
	if o.Validate {
		if err := i.layerInstalled(); err != nil {
			return err
		}
		m, err := i.newMessenger()
		if err != nil {
			return err
		}
		messenger = m
		features := &validationFeaturesInfo{
			sType: typeValidationFeatures, pNext: unsafe.Pointer(m),
			enabledValidationFeatureCount: 1, pEnabledValidationFeatures: new(uint32(validateSynchronization)),
		}
		info.pNext = unsafe.Pointer(features)
		info.enabledLayerCount, info.ppEnabledLayerNames = 1, cStrings([]string{ValidationLayer})
		info.enabledExtensionCount, info.ppEnabledExtensionNames = 2, cStrings([]string{debugUtils, validationFeatures})
	}
	create := find(i.lookUp, 0, "vkCreateInstance")
	if create == 0 {
		return fmt.Errorf("%w: the loader has no vkCreateInstance", ErrUnavailable)
	}
	var made uintptr
	if err := check(create.call(uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&made))), "vkCreateInstance"); err != nil {
		return err
	}
	i.handle = made
	if err := resolve(i.lookUp, i.handle, i.entries.list()); err != nil {
		return err
	}
	i.entries.GetCooperativeMatrixProperties = find(i.lookUp, i.handle, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR")
	if messenger != nil {
		if err := i.startMessages(messenger); err != nil {
			return err
		}
	}
	return i.enumerate()
}

// layerInstalled sees that the validation layer is there.
func (i *Instance) layerInstalled() error {
	enumerate := find(i.lookUp, 0, "vkEnumerateInstanceLayerProperties")
	layers, err := list[layerProperties]("vkEnumerateInstanceLayerProperties", func(n *uint32, first *layerProperties) Result {
		return enumerate.call(uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(first)))
	})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(layers, func(l layerProperties) bool { return text(l.layerName[:]) == ValidationLayer }) {
		return fmt.Errorf("%w: %s is not installed", ErrUnavailable, ValidationLayer)
	}
	return nil
}

// maxListed bounds lists: a driver that says it has more is not believed.
const maxListed = 1 << 16

// list reads a list of unknown length: first its length, then its elements.
func list[T any](what string, read func(n *uint32, first *T) Result) ([]T, error) {
	for range 8 { // it may grow between the two calls
		n := new(uint32)
		if err := check(read(n, nil), what); err != nil {
			return nil, err
		}
		if *n > maxListed {
			return nil, fmt.Errorf("%w: %s counts %d elements", ErrUnusable, what, *n)
		}
		elements := make([]T, *n+1)
		*n = uint32(len(elements))
		switch r := read(n, &elements[0]); r {
		case success:
			return elements[:min(int(*n), len(elements))], nil
		case incomplete:
		default:
			return nil, check(r, what)
		}
	}
	return nil, check(incomplete, what)
}

// The messages of all instances; C knows an instance by its number.
var messages struct {
	sync.Mutex
	callback uintptr
	last     uintptr
	of       map[uintptr][]string
}

func (i *Instance) newMessenger() (*messengerCreateInfo, error) {
	messages.Lock()
	defer messages.Unlock()
	if messages.callback == 0 {
		address, err := dl.Callback(receive)
		if err != nil {
			return nil, err
		}
		messages.callback, messages.of = address, make(map[uintptr][]string)
	}
	messages.last++
	i.number = messages.last
	return &messengerCreateInfo{
		sType: typeMessengerCreateInfo, messageSeverity: severityWarning | severityError, messageType: messageAll,
		pfnUserCallback: messages.callback, pUserData: i.number,
	}, nil
}

func (i *Instance) startMessages(info *messengerCreateInfo) error {
	create := find(i.lookUp, i.handle, "vkCreateDebugUtilsMessengerEXT")
	if create == 0 {
		return fmt.Errorf("%w: no vkCreateDebugUtilsMessengerEXT", ErrUnavailable)
	}
	var made handle
	err := check(create.call(i.handle, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(&made))), "vkCreateDebugUtilsMessengerEXT")
	i.messenger = made
	return err
}

// receive is called by the validation layer, on any thread.
func receive(_, _ uintptr, data *messengerCallbackData, number uintptr) uintptr {
	message := "a message without text"
	if data != nil && data.pMessage != nil {
		n := 0
		for *(*byte)(unsafe.Add(unsafe.Pointer(data.pMessage), n)) != 0 {
			n++
		}
		message = string(unsafe.Slice(data.pMessage, n))
	}
	messages.Lock()
	messages.of[number] = append(messages.of[number], message)
	messages.Unlock()
	return 0
}

// Messages are the validation layer's warnings and errors so far.
func (i *Instance) Messages() []string {
	messages.Lock()
	defer messages.Unlock()
	return slices.Clone(messages.of[i.number])
}

// Devices are the devices that the instance has, usable or not.
func (i *Instance) Devices() []*Physical { return i.devices }

// Close ends the instance. Its devices must have been closed.
func (i *Instance) Close() {
	if i.handle == 0 {
		return
	}
	if i.messenger != 0 {
		if destroy := find(i.lookUp, i.handle, "vkDestroyDebugUtilsMessengerEXT"); destroy != 0 {
			destroy.call(i.handle, uintptr(i.messenger), 0)
		}
	}
	if i.entries.DestroyInstance != 0 {
		i.entries.DestroyInstance.call(i.handle, 0)
	}
	i.handle = 0
}
