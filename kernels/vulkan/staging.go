package vulkan

import "zeroth/kernels/vulkan/vk"

// staging is what copies to and from memory that the host does not see: a buffer
// that both see, and commands that copy a piece of it.
type staging struct {
	in, out  *vk.Buffer
	commands *vk.Commands
}

// stagingBytes is how much is copied at a time.
const stagingBytes = 4 << 20

// stage runs f with the device's staging, which is made when it is first needed.
func (d *Device) stage(f func(s *staging) error) error {
	d.running.Lock()
	defer d.running.Unlock()
	if d.staging == nil {
		s := &staging{}
		var err error
		if s.in, err = d.device.NewBuffer(stagingBytes, vk.UseInput, false); err != nil {
			return err
		}
		if s.out, err = d.device.NewBuffer(stagingBytes, vk.UseOutput, false); err != nil {
			s.in.Free()
			return err
		}
		if s.commands, err = d.device.NewCommands(); err != nil {
			s.in.Free()
			s.out.Free()
			return err
		}
		d.staging = s
	}
	return f(d.staging)
}

// Staging implements gpu.Stager.
func (d *Device) Staging() int64 {
	d.running.Lock()
	defer d.running.Unlock()
	if d.staging == nil {
		return 0
	}
	return d.staging.in.Size() + d.staging.out.Size()
}

func (s *staging) upload(d *Device, to *vk.Buffer, at int64, data []byte) error {
	for len(data) > 0 {
		n := copy(s.in.Bytes, data)
		if err := s.copy(d, to, at, s.in, 0, int64(n)); err != nil {
			return err
		}
		data, at = data[n:], at+int64(n)
	}
	return nil
}

func (s *staging) download(d *Device, from *vk.Buffer, at int64, data []byte) error {
	for len(data) > 0 {
		n := min(len(data), len(s.out.Bytes))
		if err := s.copy(d, s.out, 0, from, at, int64(n)); err != nil {
			return err
		}
		copy(data, s.out.Bytes[:n])
		data, at = data[n:], at+int64(n)
	}
	return nil
}

func (s *staging) copy(d *Device, to *vk.Buffer, at int64, from *vk.Buffer, offset, bytes int64) error {
	if err := s.commands.Begin(); err != nil {
		return err
	}
	if err := s.commands.Copy(to, at, from, offset, bytes); err != nil {
		return err
	}
	if err := s.commands.End(); err != nil {
		return err
	}
	if err := s.commands.Submit(); err != nil {
		return err
	}
	return s.commands.Wait(d.timeout)
}
