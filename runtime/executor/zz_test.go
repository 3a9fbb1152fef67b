package executor_test
import ("testing";"time";"fmt";"zeroth/graph";"zeroth/runtime/op";"zeroth/runtime/executor";"zeroth/runtime/program")
func TestZZ(t *testing.T){
 n:=100000
 mk:=func(outs bool)*program.Program{
 g:=graph.NewGraph("f"); x:=g.Input("x",op.F32,op.S(op.Tokens,0),op.C(4)); v:=x
 for i:=range n { v=g.Apply(op.Add,fmt.Sprintf("name%0200d",i),nil,v,x); if outs {g.Output(v.Name,v)} }
 if !outs {g.Output("o",v)}
 return lower(t,&graph.Module{Methods:[]*graph.Graph{g}}) }
 for _,o:=range []bool{false,true}{
 p:=mk(o); s:=time.Now(); _,err:=executor.New(p,plain(t),executor.Options{Bounds:op.Extents{N:2}}); fmt.Println(o,err,time.Since(s)) }
}
