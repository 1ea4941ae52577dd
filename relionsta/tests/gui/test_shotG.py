from relionsta.tests.gui.test_project_window import *
from relionsta.tests.gui.test_project_window import TestStaWindows as _T
from relionsta.tests.gui.test_project_window import _below
class TestShot(_T):
    def test_shot(self):
        from pyworkflow.gui.form import FormWindow
        for n,v in (('ProtStaMask',{}),('ProtStaReconstruct',{}),('ProtStaMask2',dict(do_denovo=True))):
            p=new_protocol(self.window.project,n.rstrip('2'),n,v)
            f=FormWindow(n,p,lambda *_a,**_k:None,self.window)
            f.root.deiconify(); f.root.lift(); settle(f.root,2)
            from tkinter import ttk
            tabs=[w for w in _below(f.root) if isinstance(w,ttk.Notebook)]
            for k in range(tabs[0].index('end') if tabs else 1):
                if tabs: tabs[0].select(k)
                settle(f.root,1)
                self.screen.picture(Path('/tmp/G/shot_%s_%d.png'%(n,k)))
            f.close()
for _n in list(dir(_T)):
    if _n.startswith('test_'): setattr(TestShot,_n,None) if _n!='test_shot' else None
del TestStaWindows,_T
